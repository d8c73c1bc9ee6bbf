"""A page's own clock, which a test can let run ahead: what a page does after a while is seen at once.

The page's timers fire in their order, each at its own time, and what they began goes on before the next one.
What the browser itself times (animations of its style sheets, frames, the network) runs as fast as ever.
"""

from __future__ import annotations

from tests.chromium import Tab

CLOCK = """(() => {
    const real = {
        now: performance.now.bind(performance), frame: requestAnimationFrame.bind(window),
        set: setTimeout.bind(window), clear: clearTimeout.bind(window),
    };
    let ahead = 0, last = 0;
    const due = new Map(), now = () => real.now() + ahead;
    const arm = (id) => {
        const one = due.get(id);
        one.waits = real.set(() => fire(id), Math.max(0, one.at - now()));
    };
    const fire = (id) => {
        const one = due.get(id);
        if (one.each === null) due.delete(id);
        else { one.at = Math.max(one.at + one.each, now()); arm(id); }
        one.act(...one.more);
    };
    const later = (each, act, ms, more) => {
        const id = ++last, after = Math.max(1, ms || 0);
        due.set(id, { act, more, at: now() + after, each: each ? after : null });
        arm(id);
        return id;
    };
    const never = (id) => {
        if (due.has(id)) real.clear(due.get(id).waits);
        due.delete(id);
    };
    performance.now = now;
    window.setTimeout = (act, ms, ...more) => later(false, act, ms, more);
    window.setInterval = (act, ms, ...more) => later(true, act, ms, more);
    window.clearTimeout = window.clearInterval = never;
    window.requestAnimationFrame = (act) => real.frame((at) => act(at + ahead));
    window.pass = async (ms) => {
        const end = now() + ms;
        for (;;) {
            const [next] = [...due].filter(([, one]) => one.at <= end).sort(([, a], [, b]) => a.at - b.at);
            if (!next) break;
            const [id, one] = next;
            ahead += Math.max(0, one.at - now());
            real.clear(one.waits);
            fire(id);
            await new Promise((done) => real.set(done, 0));
        }
        ahead += Math.max(0, end - now());
        for (const [id, one] of due) { real.clear(one.waits); arm(id); }
        await new Promise((done) => real.frame(() => real.frame(done)));
    };
})();
"""
"""To be run in a page before its own scripts."""


def passes(tab: Tab, seconds: float) -> None:
    """Let so much time pass on a page with `CLOCK`, and its next frames be drawn."""
    tab.run(f"window.pass({1000 * seconds})")
