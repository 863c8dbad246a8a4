// When nobody looks. A page that is hidden for a while lets go of its connection, and
// so does one that the browser stops or puts into its back/forward cache: other tabs
// must not wait for it.

const UNSEEN = 60000; // ms a page may be hidden before it rests

// whenHidden calls rest, and then wake with the ms since.
export function whenHidden(rest, wake) {
  let later = 0;
  let rested = 0; // since when, ms; 0: at work

  const sleep = () => {
    if (rested !== 0) return;
    rested = Date.now();
    rest();
  };
  const look = () => {
    clearTimeout(later);
    if (document.hidden) later = setTimeout(sleep, UNSEEN);
    else if (rested !== 0) {
      const away = Date.now() - rested;
      rested = 0;
      wake(away);
    }
  };
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", sleep);
  addEventListener("pageshow", (e) => e.persisted && look());
  document.addEventListener("freeze", sleep);
  document.addEventListener("resume", look);
  look();
}
