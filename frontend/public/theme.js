/* Runs before the first paint, so that the page never flashes in the wrong theme or type size.
   A file of its own, not inline, so that the server's content policy needs no exception. */
(function () {
  var stored = null;
  try {
    /* Without the prefix in earlier versions; src/base/stored.ts. */
    stored = localStorage.getItem("mechanistic-explorer:theme") || localStorage.getItem("theme");
  } catch (error) {
    /* storage can be blocked; the system's choice then stands */
  }
  var dark = stored === "dark" || (stored !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  var size = null;
  try {
    size = localStorage.getItem("mechanistic-explorer:type");
  } catch (error) {
    /* as above */
  }
  if (size === "125" || size === "150") document.documentElement.dataset.type = size;
})();
