/* What the pages gain from script beside htmx. Without it every page still works. */
(() => {
  "use strict";
  const BUSY_FOR_MS = 8000;

  document.addEventListener("click", dismissOrCloseMenus);
  document.addEventListener("click", copyWhatIsShownOnce);
  document.addEventListener("keydown", closeMenusOnEscape);
  document.addEventListener("keydown", steerThePlayer);
  document.addEventListener("submit", sendOnce, true);
  document.addEventListener("htmx:error", sayThatTheNetworkIsGone);
  document.addEventListener("htmx:after:swap", readWhatChanged);
  document.addEventListener("htmx:finally:request", (event) => rest(event.target));
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-busy]").forEach(rest));

  function dismissOrCloseMenus(event) {
    event.target.closest("[data-dismiss]")?.parentElement.remove();
    openMenus().filter((menu) => !menu.contains(event.target)).forEach((menu) => { menu.open = false; });
  }

  /* The button shows only where the browser lets a page copy: there is no other way to hide it from those without script. */
  if (navigator.clipboard) document.documentElement.classList.add("copies");

  async function copyWhatIsShownOnce(event) {
    const button = event.target.closest("[data-copies]");
    if (!button) return;
    const lines = [...document.querySelectorAll(`#${button.dataset.copies} code`)].map((code) => code.textContent);
    try {
      await navigator.clipboard.writeText(lines.join("\n"));
      button.textContent = button.dataset.copied;
    } catch {
      getSelection().selectAllChildren(document.getElementById(button.dataset.copies));
    }
  }

  function closeMenusOnEscape(event) {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }

  function openMenus() {
    return [...document.querySelectorAll("details[name=menu][open]")];
  }

  /* Digits choose an answer, arrows turn the page. Only while the focus is in the player (or nowhere), so that they never
     fire for somebody who dictates or types elsewhere. */
  function steerThePlayer(event) {
    const player = document.querySelector(".player");
    if (!player || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const at = document.activeElement;
    const typing = at.matches("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");
    if (typing) return;
    if (/^[1-9]$/.test(event.key) && player.contains(at)) {
      const choice = player.querySelectorAll(".choices input:not(:disabled)")[Number(event.key) - 1];
      if (choice) { choice.focus(); choice.click(); event.preventDefault(); }
    } else if (/^Arrow(Left|Right)$/.test(event.key) && !at.matches("input") && (at === document.body || player.contains(at))) {
      const forward = (event.key === "ArrowRight") === (document.documentElement.dir !== "rtl");
      const step = player.querySelector(forward ? ".player-foot :is([rel=next], [data-next])" : ".player-foot :is([rel=prev], [data-prev])");
      if (step) { step.click(); event.preventDefault(); }
    }
  }

  /* A second click on a button that is already sending does nothing. */
  function sendOnce(event) {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.busy) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    form.dataset.busy = "1";
    form.setAttribute("aria-busy", "true");
    setTimeout(rest, BUSY_FOR_MS, form);
  }

  function rest(element) {
    const form = element?.closest?.("form");
    if (form) { delete form.dataset.busy; form.removeAttribute("aria-busy"); }
  }

  function sayThatTheNetworkIsGone(event) {
    if (!event.detail?.ctx || event.detail.ctx.response) return;
    const flash = document.getElementById("flash");
    const sentence = document.getElementById("offline");
    if (flash && sentence) flash.replaceChildren(sentence.content.cloneNode(true));
  }

  /* A list says how many rows it now has; a swapped page or step is read from its heading. */
  function readWhatChanged(event) {
    const target = event.detail?.ctx?.target;
    const place = target?.isConnected ? target : document.getElementById(target?.id ?? "");
    if (!place) return;
    const count = place.matches("[data-announce]") ? place : place.querySelector("[data-announce]");
    if (count) document.getElementById("said").textContent = count.dataset.announce;
    if (place.id === "main" && !place.contains(document.activeElement)) {
      place.querySelector("[autofocus], h1[tabindex='-1']")?.focus();
    }
  }
})();
