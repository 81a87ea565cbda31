"use strict";
// A form marked data-live-form is a plain GET form. With this script, a change asks for the page of the fields as they
// stand, takes over what is marked data-live, and keeps the address so that a reload brings everything back.
for (const form of document.querySelectorAll("form[data-live-form]")) {
  const WAIT_MS = 120;
  let timer;
  let asked;
  const address = () => {
    const query = new URLSearchParams();
    for (const [key, value] of new FormData(form)) if (value.trim() !== "") query.append(key, value);
    const text = query.toString();
    return new URL(form.action).pathname + (text === "" ? "" : "?" + text);
  };
  // A table that was sorted stays so: which column, and which way.
  const sorted = (part) => [...part.querySelectorAll("th[aria-sort]")].map((head) => [head.closest("table").id, head.cellIndex, head.getAttribute("aria-sort")]);
  const sort = ([id, column, way]) => {
    const head = document.getElementById(id)?.tHead?.rows[0].cells[column];
    for (let n = 0; n < 2 && head !== undefined && head.getAttribute("aria-sort") !== way; n += 1) head.querySelector("button")?.click();
  };
  const take = (page) => {
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (fresh === null || fresh.innerHTML === part.innerHTML) continue;
      const sorts = sorted(part);
      part.replaceChildren(...fresh.childNodes);
      sorts.forEach(sort);
    }
    for (const field of form.querySelectorAll("input[id], select[id]")) {
      const fresh = page.getElementById(field.id);
      for (const name of ["aria-invalid", "placeholder"]) {
        const value = fresh?.getAttribute(name) ?? null;
        if (value === null) field.removeAttribute(name);
        else field.setAttribute(name, value);
      }
    }
  };
  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    const target = address();
    history.replaceState(null, "", target);
    try {
      const response = await fetch(target, { signal: asked.signal });
      const text = await response.text();
      if (!response.ok) throw new Error(text.trim());
      take(new DOMParser().parseFromString(text, "text/html"));
    } catch (error) {
      // A newer question took this one's place.
      if (error.name === "AbortError") return;
      document.getElementById("status").textContent = `Nothing was computed: ${error.message}. Is the server still running?`;
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    ask();
  });
}
