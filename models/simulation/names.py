"""Made-up names, rare enough that a search for one finds a leak and nothing else."""

from __future__ import annotations

FIRST_NAMES: tuple[str, ...] = (
    "Adwenna", "Amarisol", "Anselio", "Ayodelka", "Beatrixa", "Bellamira", "Benedita", "Briseida", "Calixtan",
    "Carmelina", "Cassimir", "Celestio", "Chidiebe", "Claribeth", "Corentyn", "Dariela", "Delphinia",
    "Deshantey", "Doralice", "Edelmiro", "Elodiane", "Emerenta", "Ephrayim", "Esmerinda", "Evangelo",
    "Fabiolena", "Feliciano", "Florisel", "Ginevrah", "Giselmar", "Hadassia", "Hermelind", "Idalmis",
    "Ifeadigo", "Isaurina", "Jacobina", "Jesselyne", "Joaquina", "Josianne", "Kadiatou", "Keturahn", "Kwabenah",
    "Leocadio", "Lisandra", "Lorvenia", "Ludovina", "Mackenley", "Malachyn", "Marisabel", "Maximilia",
    "Mireilde", "Nathanyel", "Nerissane", "Nkemdili", "Odalisse", "Ogechukwa", "Orlandina", "Osvaldino",
    "Penelisa", "Quintella", "Rafaelina", "Reginaldo", "Rosalinde", "Samirabel", "Santerio", "Serafinio",
    "Shaquanda", "Sidonielle", "Solangela", "Taddeus", "Tamikalyn", "Thandolwe", "Tiburcio", "Valdirene",
    "Venusiane", "Wilhelmo", "Xiomarisa", "Yesenilda", "Zacharion", "Zulmarie",
)  # fmt: skip

LAST_NAMES: tuple[str, ...] = (
    "Abrantero", "Achterveld", "Adeyokun", "Alcantrez", "Amponsari", "Anglemore", "Arrowhite", "Asantewick",
    "Baptistole", "Barrowmint", "Belizarre", "Blackwynd", "Boatengray", "Brightmoor", "Cabralinho",
    "Calderwick", "Carrasquel", "Castellone", "Chukwumeze", "Claybourne", "Cordovales", "Crestfield",
    "Dacostelo", "Darkwahne", "Delacreuz", "Desrosierre", "Dominguard", "Dorcelian", "Eastermann", "Ekwuemeli",
    "Elliscombe", "Encarnasol", "Fairbrooke", "Fernandoux", "Figueirola", "Fontanille", "Galloweth",
    "Garnethorn", "Gonsalvino", "Grandpierre", "Guerriveau", "Hallowmere", "Harborough", "Hawthwaite",
    "Hernandino", "Honoratte", "Ingleshaw", "Iroquette", "Jeanbaptis", "Jimenarro", "Joachimson", "Kingswelle",
    "Kouyatema", "Lamourette", "Lancasterr", "Larosilien", "Longmeadow", "Lumumbaye", "Marcellon", "Marshfelde",
    "Maldonares", "Mbekwanis", "Montrovia", "Moorhampt", "Nascimenta", "Nguyendale", "Northbrook", "Nwachuka",
    "Oakenfolde", "Okonkwarah", "Olivarria", "Osborneth", "Pachecoral", "Pendermark", "Pierrelus", "Quarshieh",
    "Quillmont", "Quinonesca", "Ravensmoor", "Redfearne", "Riverdunne", "Rodriguane", "Rosariello",
    "Sandovalle", "Santosierra", "Sherbourne", "Silvermane", "Sotomayne", "Stonebrook", "Tavareslo",
    "Teixeirann", "Thibodello", "Underhaven", "Valdezuela", "Vasquerano", "Villanuevo", "Wainscotte",
    "Westhaverr", "Whitlockey", "Winterbury", "Woldemari", "Yeboahne", "Yorkshaven", "Zamoranel", "Zephirine",
)  # fmt: skip
