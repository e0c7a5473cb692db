/** Tells sleepers in this thread that there may be something new; waking up for nothing is harmless. */
export class Signal {
  readonly #sleepers = new Set<() => void>();

  /** Wakes everyone who is waiting now. */
  notify(): void {
    const sleepers = [...this.#sleepers];
    this.#sleepers.clear();
    for (const wake of sleepers) wake();
  }

  /** Resolves at the next `notify`, after `timeoutMs`, or when `abort` fires, whichever comes first. */
  wait(timeoutMs: number, abort?: AbortSignal): Promise<void> {
    if (abort?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        abort?.removeEventListener('abort', wake);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      abort?.addEventListener('abort', wake, { once: true });
      this.#sleepers.add(wake);
    });
  }
}
