// Runs before anything is drawn, so that a dark page never flashes white.
"use strict";
const darkSystem = matchMedia("(prefers-color-scheme: dark)");

/** Shows the page light, dark, or as the system is. */
function setLook(look) {
  const root = document.documentElement;
  root.dataset.look = look;
  root.dataset.theme = look !== "system" ? look : darkSystem.matches ? "dark" : "light";
}
darkSystem.addEventListener("change", () => setLook(document.documentElement.dataset.look));
{
  let look = null;
  try { look = localStorage.getItem("theme"); } catch { /* storage may be forbidden */ }
  setLook(look ?? "system");
}
