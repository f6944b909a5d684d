// What every page needs and stock Material leaves out.

/** The copy button copies the text of its code block byte for byte: Material's cuts the last newline off. */
document.addEventListener(
  "click",
  ({ target }) => {
    const button = target.closest?.("[data-clipboard-target]");
    if (button) button.dataset.clipboardText = document.querySelector(button.dataset.clipboardTarget).textContent;
  },
  true, // before the button's own listener, which reads data-clipboard-text
);

/** A table that is wider than the screen scrolls, so the keyboard must reach it; any other table is no stop. */
const resized = new ResizeObserver((entries) => {
  for (const { target: box } of entries) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
});
addEventListener("load", () => {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) resized.observe(box);
});
