"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const find = (id) => document.getElementById(id);
  const findings = Array.from(document.querySelectorAll(".finding"));
  const words = findings.map((item) => item.firstElementChild.textContent.toLowerCase() + " " + item.dataset.path.toLowerCase());
  const chosen = (name) => new Set(Array.from(form.querySelectorAll(`input[name=${name}]:checked`), (box) => box.value));
  const apply = () => {
    const query = find("query").value.toLowerCase().split(/\s+/).filter(Boolean);
    const path = find("path").value.toLowerCase();
    const rule = find("rule").value;
    const severities = chosen("severity");
    const modes = chosen("mode");
    let shown = 0;
    findings.forEach((item, index) => {
      const data = item.dataset;
      const keep = severities.has(data.severity) && modes.has(data.mode) && (!rule || data.rule === rule)
        && (!path || data.path.toLowerCase().includes(path)) && query.every((word) => words[index].includes(word));
      item.hidden = !keep;
      if (keep) shown += 1;
    });
    find("shown").textContent = shown === findings.length ? `${shown} shown` : `${shown} of ${findings.length} shown`;
    find("none").hidden = shown > 0;
  };
  const setOpen = (open) => findings.forEach((item) => { if (item.tagName === "DETAILS" && !item.hidden) item.open = open; });
  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const owner = target && target.closest("details");
    if (owner) owner.open = true;
  };
  let wasOpen = [];
  addEventListener("beforeprint", () => { wasOpen = findings.filter((item) => item.open); setOpen(true); });
  addEventListener("afterprint", () => { setOpen(false); wasOpen.forEach((item) => { item.open = true; }); });
  addEventListener("hashchange", reveal);
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  find("open").addEventListener("click", () => setOpen(true));
  find("close").addEventListener("click", () => setOpen(false));
  form.hidden = false;
  apply();
  reveal();
})();
