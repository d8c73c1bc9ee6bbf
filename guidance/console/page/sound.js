// Alarm tones: the server makes them, this plays them. One burst, its rest, and again, as long as it stands.

const LOCAL_ALARM = "high-technical";

export class Sound {
  constructor() {
    this.context = null;
    this.buffers = new Map();
    this.rests = {};
    this.name = null;
    this.source = null;
    this.timer = 0;
    this.bursts = 0;
  }

  get ready() {
    return this.context !== null && this.context.state === "running" && this.buffers.size > 0;
  }

  // Browsers let a page sound only after a tap: this is called from one.
  async unlock(tones) {
    this.rests = tones;
    if (this.context === null) this.context = new AudioContext();
    await this.context.resume();
    await Promise.all(Object.keys(tones).map(async (name) => {
      if (this.buffers.has(name)) return;
      const answer = await fetch(`/${name}.wav`);
      this.buffers.set(name, await this.context.decodeAudioData(await answer.arrayBuffer()));
    }));
  }

  // One burst of the most urgent tone, whatever else stands.
  test() {
    this.#burst(LOCAL_ALARM);
  }

  // What sounds from now on: the name of a tone, or null.
  set(name) {
    if (name === this.name) return;
    this.name = name;
    clearTimeout(this.timer);
    if (this.source !== null) { this.source.stop(); this.source = null; }
    if (name !== null) this.#again(name);
    document.body.dataset.sound = name ?? "";
  }

  alarmOfItsOwn() {
    this.set(LOCAL_ALARM);
  }

  #again(name) {
    if (this.name !== name) return;
    const lasts = this.#burst(name);
    const rest = this.rests[name]?.rest_s ?? 3;
    this.timer = setTimeout(() => this.#again(name), 1000 * ((lasts || 0.2) + (lasts ? rest : 0)));
  }

  #burst(name) {
    const buffer = this.buffers.get(name);
    if (!buffer || !this.ready) return 0;
    this.source = this.context.createBufferSource();
    this.source.buffer = buffer;
    this.source.connect(this.context.destination);
    this.source.start();
    this.bursts += 1;
    document.body.dataset.bursts = String(this.bursts);
    return buffer.duration;
  }
}
