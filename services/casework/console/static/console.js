// What the console does beyond plain pages and forms: it keeps an open page true, and hides it when it is not looked at.
(() => {
  "use strict";
  const body = document.body;
  const told = document.getElementById("told");
  const main = () => document.getElementById("main");
  let fresh = 0;
  let asked = null;

  const say = (text) => { told.textContent = ""; requestAnimationFrame(() => { told.textContent = text; }); };

  // Drafts live in this script alone, and only as long as the page does.
  const drafts = new Map();
  const keyOf = (field) => `${field.form?.dataset.draft ?? ""}/${field.name}/${field.type === "radio" || field.name === "case" ? field.value : ""}`;
  const fields = () => main().querySelectorAll("textarea, select, input:not([type=hidden])");
  const keepDrafts = () => fields().forEach((field) => drafts.set(keyOf(field), ["checkbox", "radio"].includes(field.type) ? field.checked : field.value));
  const giveDrafts = () => {
    fields().forEach((field) => {
      if (!drafts.has(keyOf(field))) return;
      if (["checkbox", "radio"].includes(field.type)) field.checked = drafts.get(keyOf(field));
      else field.value = drafts.get(keyOf(field));
    });
    drafts.clear();
  };

  const blank = () => { main().replaceChildren(); };

  const focused = () => {
    const at = document.activeElement;
    if (!at || !main().contains(at)) return null;
    const row = at.closest("[data-case]");
    return { id: at.id, href: at.getAttribute("href"), name: at.name, draft: at.form?.dataset.draft, row: row?.dataset.case };
  };
  const giveFocus = (was) => {
    if (!was) return;
    const within = (was.row && main().querySelector(`[data-case="${CSS.escape(was.row)}"]`)) || main();
    const found = (was.id && document.getElementById(was.id))
      || (was.href && within.querySelector(`a[href="${CSS.escape(was.href)}"]`))
      || (was.name && within.querySelector(`${was.draft ? `form[data-draft="${was.draft}"] ` : ""}[name="${CSS.escape(was.name)}"]`))
      || within.querySelector("a, button") || main();
    found.focus();
  };

  // Ask for the page again, as it may be shown now; what may not be shown is gone at once.
  const refetch = async (wanted = "") => {
    asked?.abort();
    asked = new AbortController();
    const mine = asked;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store", signal: mine.signal });
      if (answer.redirected && new URL(answer.url).pathname === "/login") { blank(); location.replace("/login"); return; }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = page.getElementById("main");
      if (!next) { blank(); return; }
      if (wanted && isSame(next)) return;
      const was = focused();
      if (main().childElementCount) keepDrafts();
      if (!answer.ok) drafts.clear();
      main().replaceChildren(...next.childNodes);
      giveDrafts();
      window.htmx?.process(main());
      giveFocus(was);
      if (wanted) say(wanted);
    } catch (error) {
      if (error.name !== "AbortError") blank();
    }
  };

  // What one has done oneself is told of, too, and is on the page already.
  const versions = (root) => [...root.querySelectorAll("[data-case]")].map((one) => `${one.dataset.case} ${one.dataset.version}`).join();
  const isSame = (next) => main().childElementCount > 0 && versions(next) === versions(main());

  const shown = (id) => main().querySelector(`[data-case="${CSS.escape(id)}"]`);
  const isHidden = () => document.hidden || document.visibilityState === "hidden";

  const offerNew = () => {
    const more = document.getElementById("more");
    if (!more) return;
    const count = document.getElementById("more-count");
    count.textContent = (fresh === 1 ? count.dataset.one : count.dataset.many).replace("{count}", fresh);
    more.hidden = false;
    say(body.dataset.saidNew);
  };

  const onChange = (kind, id) => {
    if (isHidden()) return;
    if (id === null) { refetch(); return; }
    const here = shown(id);
    if (kind === "new" && !here) { fresh += 1; offerNew(); return; }
    if (!here) return;
    if (kind === "gone") {
      if (here.tagName === "TR") here.remove(); else blank();
      refetch(body.dataset.saidGone);
      return;
    }
    if (here.tagName === "TR") refreshRow(id); else refetch(body.dataset.saidChanged);
  };

  // A row that changed is brought up to date where it stands: no row moves under the reader.
  const refreshRow = async (id) => {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const row = page.querySelector(`tr[data-case="${CSS.escape(id)}"]`);
      const here = shown(id);
      if (!here || !row || here.dataset.version === row.dataset.version) return;
      const was = focused();
      const selected = here.querySelector("[name=case]")?.checked;
      here.replaceWith(row);
      if (selected) row.querySelector("[name=case]").checked = true;
      window.htmx?.process(row);
      if (was?.row === id) giveFocus(was);
      say(body.dataset.saidChanged);
    } catch { blank(); }
  };

  if (body.dataset.live) {
    let wasOpen = false;
    const stream = new EventSource("/stream");
    stream.addEventListener("open", () => { if (wasOpen && !isHidden()) refetch(); wasOpen = true; });
    for (const kind of ["new", "changed", "gone"]) {
      stream.addEventListener(kind, (event) => onChange(kind, JSON.parse(event.data).case));
    }
    window.addEventListener("pagehide", () => { stream.close(); blank(); });
  }

  if (body.dataset.seconds) {
    document.addEventListener("visibilitychange", () => {
      if (isHidden()) { keepDrafts(); blank(); } else refetch();
    });
    window.addEventListener("pageshow", (event) => { if (event.persisted) { blank(); location.reload(); } });
    const seconds = Number(body.dataset.seconds);
    const warn = document.getElementById("ending");
    const later = (at, what) => { if (at < 2147483) setTimeout(what, Math.max(0, at) * 1000); };
    later(seconds - 120, () => warn.showModal());
    later(seconds, () => { blank(); location.replace("/login"); });
  }

  document.addEventListener("htmx:after:swap", () => {
    const said = new URLSearchParams(location.search).get("said");
    if (!said && document.activeElement === body) main().focus();
  });

  // j and k walk along the rows, x selects one.
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input:not([type=checkbox]), textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = [...main().querySelectorAll("tr[data-case]")];
    const at = rows.indexOf(document.activeElement?.closest("tr[data-case]"));
    if (event.key === "j" || event.key === "k") rows[Math.min(rows.length - 1, Math.max(0, at + (event.key === "j" ? 1 : -1)))]?.querySelector("a")?.focus();
    if (event.key === "x" && at >= 0) rows[at].querySelector("[name=case]").click();
  });
})();
