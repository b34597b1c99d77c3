"use strict";
(() => {
  const main = document.getElementById("content");
  const lost = document.getElementById("lost");
  const news = document.getElementById("news");
  const state = () => [...document.querySelectorAll("[data-state]")].map((e) => e.dataset.state).join();
  // Makes `old` like `fresh`, and leaves alone what is the same: focus, selection and what is open stay.
  const morph = (old, fresh) => {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
      old.replaceWith(fresh.cloneNode(true));
      return;
    }
    if (old.nodeType !== 1) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old.matches("input, select, textarea")) return;
    for (const { name } of [...old.attributes])
      if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    for (const { name, value } of fresh.attributes)
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const before = [...old.childNodes], after = [...fresh.childNodes];
    after.forEach((child, at) => (at < before.length ? morph(before[at], child) : old.append(child.cloneNode(true))));
    before.slice(after.length).forEach((child) => child.remove());
  };
  const look = async () => {
    const seconds = Number(main.dataset.seconds || 0);
    if (!seconds) return;
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
        if (answer.status === 401) return location.reload();
        if (!answer.ok) throw new Error(answer.status);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const before = state();
        morph(main, page.getElementById("content"));
        document.title = page.title;
        if (state() !== before) news.textContent = page.querySelector("[data-news]")?.textContent ?? "";
        lost.hidden = true;
      } catch {
        lost.hidden = false;
      }
    }
    setTimeout(look, seconds * 1000);
  };
  document.documentElement.classList.add("live");
  setTimeout(look, Number(main.dataset.seconds || 0) * 1000);
})();
