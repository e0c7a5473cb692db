/**
 * Where replays of accounts have been, so that the next page goes on there instead of at the first event.
 *
 * Snapshots will not do: one that was taken before an event was damaged or lost knows what that event did, and a replay
 * is there to show what the events alone make. So a place comes from a replay that began with the first event, and holds
 * only as long as the first event of the stream, and the one before the place, are the same.
 */
import { type BankAccount, bankAccountStream } from '../../domain/bank-account.ts';
import type { EventReader, RecordedEvent } from '../../event-sourcing/event-store.ts';
import { isMarked, type ReplayMark, ReplayMarks } from '../../event-sourcing/replay-marks.ts';
import type { AccountStep, WatchPlace } from './invariants.ts';

/** What a replay knows behind an event. */
export interface ReplayPlace extends WatchPlace {
  readonly account: BankAccount | undefined;
}

interface Kept {
  readonly place: ReplayPlace;
  readonly firstId: string;
}

type Reader = Pick<EventReader, 'readStream'>;

export class ReplayPlaces {
  readonly #marks = new ReplayMarks<Kept>(({ place: { account } }) =>
    account ? Object.keys(account.holds).length + Object.keys(account.reversed).length : 0,
  );

  /**
   * Begins to note places of one replay.
   * @param from the first revision that is to be shown: the replay begins at the last place before it
   * @throws StoreError when the store cannot be read
   */
  async begin(reader: Reader, accountId: string, from: number): Promise<PlaceNotes> {
    const stream = bankAccountStream(accountId);
    const { mark } = this.#marks.find(stream, ({ revision }) => revision < from);
    const first = mark && (await eventAt(reader, stream, 0));
    const last = mark && (await eventAt(reader, stream, mark.revision));
    const holds = first?.id === mark?.state.firstId && last?.id === mark?.eventId;
    if (!holds) this.#marks.forget(stream);
    return new PlaceNotes(holds ? mark : undefined, (marks) => this.#marks.add(stream, marks));
  }
}

/** What one replay leaves behind: a place every so many events, and one where the next page goes on. */
class PlaceNotes {
  /** Where to begin; missing for the first event. */
  readonly start: ReplayPlace | undefined;
  readonly #add: (marks: readonly ReplayMark<Kept>[]) => void;
  readonly #marks: ReplayMark<Kept>[] = [];
  #firstId: string | undefined;
  /** Behind the newest event, and behind the one before it. */
  #newest: ReplayMark<Kept> | undefined;
  #previous: ReplayMark<Kept> | undefined;

  constructor(start: ReplayMark<Kept> | undefined, add: (marks: readonly ReplayMark<Kept>[]) => void) {
    this.start = start?.state.place;
    this.#firstId = start?.state.firstId;
    this.#add = add;
  }

  note({ recorded, after: account }: AccountStep, { revision, latest }: WatchPlace): void {
    this.#firstId ??= recorded.id;
    const place = { account, revision, latest };
    this.#previous = this.#newest;
    // Nobody looks for these by their time.
    this.#newest = { revision, eventId: recorded.id, latest: 0, state: { place, firstId: this.#firstId } };
    if (isMarked(revision)) this.#marks.push(this.#newest);
  }

  /** The event that was read last may be the first one of the next page. */
  end(): void {
    this.#add(this.#previous ? [...this.#marks, this.#previous] : this.#marks);
  }
}

async function eventAt(reader: Reader, stream: string, from: number): Promise<RecordedEvent | undefined> {
  const options = { from, limit: 1, unreadable: 'handed_on' } as const;
  for await (const event of reader.readStream(stream, options)) return event;
  return undefined;
}
