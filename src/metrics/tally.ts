/** Counters whose hot side is one addition. */
import { Counter, type Registry } from 'prom-client';

export interface Tally {
  add(count: number): void;
}

interface Labelled<L extends string> extends Tally {
  readonly labels: Readonly<Record<L, string>>;
  readonly value: number;
}

/**
 * Registers a counter. Its children are plain numbers until a scrape asks: prom-client itself builds a key of all labels
 * at every increment, which costs more than many of the things that are counted.
 * @returns makes the child of some labels, which starts at 0 and is on the page from then on
 */
export function registerTally<L extends string>(
  registry: Registry,
  description: { readonly name: string; readonly help: string; readonly labelNames: readonly L[] },
): (labels: Readonly<Record<L, string>>) => Tally {
  const tallies: Labelled<L>[] = [];
  new Counter({
    ...description,
    registers: [registry],
    collect() {
      this.reset();
      for (const { labels, value } of tallies) this.inc(labels, value);
    },
  });
  return (labels) => {
    const tally = {
      labels,
      value: 0,
      add(count: number) {
        tally.value += count;
      },
    };
    tallies.push(tally);
    return tally;
  };
}
