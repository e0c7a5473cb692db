/** Finds a serial order of commands that ran at the same time: one in which the model does what the log and the answers say. */
import { copyBank, type ModelBank } from './model-bank.ts';
import { step } from './model-steps.ts';
import type { RawEvent } from './raw-event.ts';
import { contains, Mismatch, type Running, show } from './running.ts';

/** An event of the log, and which of the commands it belongs to. */
export interface Happened {
  readonly event: RawEvent;
  readonly by: number;
}

/** Steps that are tried before the search is given up; what has an order is found within a few dozen. */
const TRIES_MAX = 20_000;

interface Place {
  readonly bank: ModelBank;
  readonly runnings: readonly Running[];
  readonly done: readonly boolean[];
  /** Events of the log that are explained. */
  readonly explained: number;
}

/**
 * Takes all commands through the model, in an order that the bank may have done them in.
 * @param log all that happened meanwhile, in the order of the log
 * @returns the bank afterwards
 * @throws Mismatch when there is no such order
 */
export function inSomeOrder(
  bank: ModelBank,
  runnings: readonly Running[],
  log: readonly Happened[],
): ModelBank {
  let tries = 0;
  const hopeless = new Set<string>();
  /** What stood in the way where the search came furthest. */
  const best = { explained: -1, finished: -1, reasons: [] as string[] };

  const note = ({ explained, done }: Place, reason: string) => {
    const finished = done.filter(Boolean).length;
    if (explained < best.explained || (explained === best.explained && finished < best.finished)) return;
    if (explained > best.explained || finished > best.finished) best.reasons = [];
    Object.assign(best, { explained, finished });
    if (!best.reasons.includes(reason)) best.reasons.push(reason);
  };

  const search = (place: Place): ModelBank | undefined => {
    const progress = progressOf(place);
    if (hopeless.has(progress)) return undefined;
    if (place.done.every(Boolean)) {
      const next = log[place.explained];
      if (!next) return place.bank;
      note(place, `nobody should have written ${show(next.event)}`);
      return undefined;
    }
    for (const [index, finished] of place.done.entries()) {
      if (finished) continue;
      tries += 1;
      if (tries > TRIES_MAX) throw new Mismatch(`no serial order was found in ${TRIES_MAX} steps`);
      const after = taken(place, index, log, note);
      const found = after && search(after);
      if (found) return found;
    }
    hopeless.add(progress);
    return undefined;
  };

  const start = { bank, runnings, done: runnings.map(() => false), explained: 0 };
  const found = search(start);
  if (found) return found;
  const commands = runnings.map(({ asked, told }) => `${show(asked)}\n    told ${show(told)}`);
  throw new Mismatch(
    `there is no serial order of\n  ${commands.join('\n  ')}\nbecause\n  ${best.reasons.join('\n  ')}`,
  );
}

/**
 * How far each command is. A step that leaves no event in the log changes nothing that can be seen, so places that are
 * equally far have the same future, whatever came first. Without this, such steps are tried in all their orders.
 */
function progressOf({ explained, runnings, done }: Place): string {
  const commands = runnings.map(({ asked: _asked, told: _told, raced: _raced, ...progress }) => progress);
  return show([explained, done, commands]);
}

/** The place after one step of one command; nothing when the bank cannot have done it there. */
function taken(
  place: Place,
  index: number,
  log: readonly Happened[],
  note: (place: Place, reason: string) => void,
): Place | undefined {
  const bank = copyBank(place.bank);
  const running = { ...(place.runnings[index] as Running) };
  const next = log.slice(place.explained).find(({ by }) => by === index);
  try {
    const { wanted, done } = step(bank, running, next?.event.stream);
    for (const [offset, event] of wanted.entries()) {
      const happened = log[place.explained + offset];
      const { stream, type, data } = happened?.event ?? {};
      if (happened?.by !== index || !contains({ stream, type, data }, event)) {
        throw new Mismatch(
          `${show(event)} should be in the log of command ${index + 1}, not ${show(happened)}`,
        );
      }
    }
    return {
      bank,
      runnings: place.runnings.with(index, running),
      done: place.done.with(index, done),
      explained: place.explained + wanted.length,
    };
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    note(place, error.message);
    return undefined;
  }
}
