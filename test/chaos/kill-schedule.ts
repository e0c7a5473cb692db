/** When the bank is killed: at every step of a transfer, at random instants, in checkpoints and while it starts. */
import type { TransferMoment } from '../../src/application/transfer-process.ts';
import type { Favourite } from './customers.ts';
import type { DatabaseFile, Death } from './mortal-bank.ts';

/** Every step at which a transfer can be left, however it ends. */
const MOMENTS: Readonly<Record<TransferMoment, true>> = {
  requested: true,
  debit_settled: true,
  debit_recorded: true,
  credit_settled: true,
  credit_recorded: true,
  refund_settled: true,
  refund_recorded: true,
  suspense_settled: true,
  suspense_recorded: true,
  original_recorded: true,
};

/** The log of the read models is moved much more rarely than that of the events. */
const CHECKPOINTS: readonly DatabaseFile[] = ['events.db', 'events.db', 'events.db', 'read-models.db'];

const OF_EACH_MOMENT = 2;
const AT_ANY_INSTANT = 24;
const WHILE_STARTING = 4;
/** Transfers that may come to a moment unharmed before the one that does not, at most. */
const SPARED_MAX = 3;
/** Orders that are answered in a life. */
const MOST_ORDERS = 300;
/** Orders come and go about this fast, in milliseconds. */
const LONGEST_WAIT_MS = 5;

/** All deaths in random order. */
export function killSchedule(random: () => number): Death[] {
  const moments = Object.keys(MOMENTS) as TransferMoment[];
  const afterOrders = () => Math.floor(random() * MOST_ORDERS);
  const deaths: Death[] = [
    ...times(OF_EACH_MOMENT, () => moments.map((at) => ({ at, on: 1 + Math.floor(random() * SPARED_MAX) }))),
    ...times(AT_ANY_INSTANT, () => {
      const afterMs = random() * LONGEST_WAIT_MS;
      return [{ at: 'any_instant' as const, afterOrders: afterOrders(), afterMs }];
    }),
    ...CHECKPOINTS.map((of) => ({ at: 'checkpoint' as const, of, afterOrders: afterOrders() })),
    ...times(WHILE_STARTING, () => [{ at: 'start' as const, part: random() }]),
  ];
  return shuffled(deaths, random);
}

/** Deaths at every step of a transfer and at some other instants, in random order: for stores without files of ours. */
export function shortSchedule(random: () => number, instants: number): Death[] {
  const moments = Object.keys(MOMENTS) as TransferMoment[];
  const afterOrders = () => Math.floor((random() * MOST_ORDERS) / 3);
  const deaths: Death[] = [
    ...moments.map((at) => ({ at, on: 1 + Math.floor(random() * SPARED_MAX) })),
    ...times(instants, () => [{ at: 'any_instant' as const, afterOrders: afterOrders(), afterMs: random() }]),
  ];
  return shuffled(deaths, random);
}

/** What customers should ask for, so that this death finds what it is looking for. */
export function favouriteBefore({ at }: Death): Favourite {
  if (at === 'checkpoint') return 'deposits';
  if (at === 'any_instant' || at === 'start') return 'anything';
  if (at.startsWith('refund')) return 'refunds';
  if (at === 'original_recorded') return 'returns';
  return at.startsWith('suspense') ? 'suspense' : 'transfers';
}

function times<T>(count: number, make: () => T[]): T[] {
  return Array.from({ length: count }, make).flat();
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((left, right) => left.place - right.place)
    .map(({ item }) => item);
}
