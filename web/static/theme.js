// The colours that were chosen last, put on before the first paint. This is the
// one script that is no module: modules run after the page has been drawn.
(function () {
  const root = document.documentElement;

  function kept() {
    try {
      return localStorage.getItem("theme") ?? "";
    } catch {
      return ""; // storage is switched off: the choice lasts as long as the page
    }
  }

  function put(theme) {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  }

  put(kept());
  document.addEventListener("DOMContentLoaded", () => {
    const choice = document.getElementById("theme");
    choice.value = root.dataset.theme ?? "";
    choice.addEventListener("change", () => {
      put(choice.value);
      try {
        localStorage.setItem("theme", choice.value);
      } catch {
        // as above
      }
    });
  });
})();
