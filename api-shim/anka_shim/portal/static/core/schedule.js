// @ts-check
/**
 * At most ten drawings a second, each in an animation frame; the first at once.
 *
 * @param {() => void} draw
 * @param {number} [least] ms between two
 */
export function scheduler(draw, least = 100) {
  let isDue = false;
  let last = 0;
  const frame = () => {
    isDue = false;
    last = performance.now();
    draw();
  };
  return {
    /** Soon: for data. */
    request() {
      if (isDue) return;
      isDue = true;
      const wait = last + least - performance.now();
      if (wait <= 0) requestAnimationFrame(frame);
      else setTimeout(() => requestAnimationFrame(frame), wait);
    },
    /** In the next frame: for what a person does, and scrolling. */
    hurry() {
      isDue = true;
      requestAnimationFrame(() => {
        if (isDue) frame();
      });
    },
  };
}
