"""First Bell's services: the flow from a school's marks to a caseworker."""
