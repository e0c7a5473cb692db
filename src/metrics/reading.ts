/** A question to something that may be slow or gone: nobody waits for it for long, and it is never asked twice at once. */

/** Longer is as bad as no answer, in milliseconds; a scraper itself gives up after ten seconds. */
const ANSWER_MS_MAX = 1_000;

export class Reading<T, A extends readonly unknown[] = []> {
  readonly #ask: (...about: A) => Promise<T>;
  #underWay = false;

  constructor(ask: (...about: A) => Promise<T>) {
    this.#ask = ask;
  }

  /** The answer; nothing when it failed, did not come in time, or is still under way for somebody before. */
  async take(...about: A): Promise<T | undefined> {
    if (this.#underWay) return undefined;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), ANSWER_MS_MAX);
    });
    try {
      return await Promise.race([this.#answer(about), tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A failure is no answer: that a source is down is what the page is there to tell. */
  async #answer(about: A): Promise<T | undefined> {
    this.#underWay = true;
    try {
      return await this.#ask(...about);
    } catch {
      return undefined;
    } finally {
      this.#underWay = false;
    }
  }
}
