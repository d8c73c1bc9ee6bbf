// Keeps the screen on while a treatment is looked at. The browser takes that back from a page that is hidden, so it is
// asked again as the page comes back; where it is refused (no TLS, battery low) the tablet's own setting counts.

export class Awake {
  constructor() {
    this.wanted = false;
    this.lock = null;
    this.asking = false;
    document.addEventListener("visibilitychange", () => this.#ask());
  }

  want(wanted) {
    this.wanted = wanted;
    if (wanted) this.#ask();
    else { this.lock?.release().catch(() => {}); this.lock = null; }
  }

  async #ask() {
    if (!this.wanted || document.hidden || this.asking || !navigator.wakeLock || (this.lock && !this.lock.released)) return;
    this.asking = true;
    try {
      this.lock = await navigator.wakeLock.request("screen");
    } catch {
      this.lock = null;
    } finally {
      this.asking = false;
    }
    if (!this.wanted) this.want(false); // it was over before the browser answered
  }
}
