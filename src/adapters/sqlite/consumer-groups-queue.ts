/**
 * What a consumer group knows of its messages, in memory: which wait, which are unanswered, and what has to be written
 * down about them. Pure bookkeeping without SQL, clock or consumers.
 */

/** An event on its way to somebody. */
export interface Message {
  readonly position: number;
  /** How often it was handed out. */
  readonly deliveries: number;
}

/** What is stored of a message that the checkpoint alone does not tell. */
export interface MessageRow extends Message {
  /** To be delivered (again), answered although an earlier one is not, or set aside. */
  readonly state: 'waiting' | 'done' | 'parked';
  /** Milliseconds since 1970. */
  readonly parkedAt?: number | undefined;
  readonly reason?: string | undefined;
}

/** How far a group is. */
export interface GroupProgress {
  /** Every message up to here is answered, or has a row. */
  readonly checkpoint: number;
  /** Messages up to here may have been handed out once without a row: the mark runs ahead of the deliveries. */
  readonly deliveredTo: number;
}

export interface GroupChanges extends GroupProgress {
  readonly rows: readonly MessageRow[];
  /** Positions that need no row any more. */
  readonly removed: readonly number[];
}

/** Messages that may lie between the oldest unanswered one and the newest one read. One that hangs stops the rest there. */
export const WINDOW_MESSAGES_MAX = 5_000;
/** First deliveries that one write of the mark covers. */
const MARK_AHEAD = 1_000;

export class GroupQueue {
  #saved: GroupProgress;
  #deliveredTo: number;
  #scannedTo: number;
  /** Up to here nobody knows whether a message without a row was handed out before the program ended. */
  readonly #doubtfulTo: number;
  /** Messages beyond the checkpoint that had a row when the group was loaded; the scan meets each once more. */
  readonly #known: Set<number>;
  #again: Message[];
  #fresh: Message[] = [];
  /** Messages that hold the checkpoint before them, in the order of the log. */
  readonly #unanswered = new Set<number>();
  /** Answered before an earlier one was; stored as rows until the checkpoint has passed them. */
  readonly #doneAhead = new Set<number>();
  readonly #changes = new Map<number, MessageRow>();

  constructor(saved: GroupProgress, rows: readonly MessageRow[], head: number) {
    this.#saved = saved;
    this.#scannedTo = saved.checkpoint;
    this.#deliveredTo = saved.deliveredTo;
    this.#doubtfulTo = Math.min(saved.deliveredTo, head);
    this.#known = new Set(rows.map((row) => row.position).filter((position) => position > saved.checkpoint));
    this.#again = rows.filter((row) => row.state === 'waiting');
    for (const row of rows) if (row.state === 'done') this.#doneAhead.add(row.position);
  }

  /** Every message up to here is answered, or has a row when it is saved. */
  get checkpoint(): number {
    const [oldest] = this.#unanswered;
    return oldest === undefined ? this.#scannedTo : oldest - 1;
  }

  /** The log has been searched up to here. */
  get scannedTo(): number {
    return this.#scannedTo;
  }

  get isEmpty(): boolean {
    return this.#again.length === 0 && this.#fresh.length === 0;
  }

  /** Whether nothing more may be read before older messages are answered and that is written down. */
  get isFull(): boolean {
    return this.#unanswered.size + this.#doneAhead.size + this.#changes.size >= WINDOW_MESSAGES_MAX;
  }

  /** Whether an answer waits to be written down; a checkpoint that only passed unwanted events can wait longer. */
  get hasAnswers(): boolean {
    return this.#changes.size > 0;
  }

  get isSaved(): boolean {
    const { checkpoint, deliveredTo } = this.#saved;
    return !this.hasAnswers && checkpoint === this.checkpoint && deliveredTo === this.#deliveredTo;
  }

  /** Takes over the wanted positions of the log, in their order; all up to `upTo` has been searched. */
  scanned(positions: readonly number[], upTo: number): void {
    for (const position of positions) {
      if (this.#known.delete(position)) continue;
      this.#unanswered.add(position);
      this.#fresh.push({ position, deliveries: position <= this.#doubtfulTo ? 1 : 0 });
    }
    this.#scannedTo = upTo;
  }

  next(): Message | undefined {
    return this.#again.shift() ?? this.#fresh.shift();
  }

  /** Counts a delivery. Where the answer says so, it must be saved before the message goes out. */
  handOut({ position, deliveries }: Message): { message: Message; mustBeSaved: boolean } {
    const message = { position, deliveries: deliveries + 1 };
    if (deliveries > 0) {
      // Written down first, so that a message that kills its consumer is not tried for ever.
      this.#changes.set(position, { ...message, state: 'waiting' });
      return { message, mustBeSaved: true };
    }
    if (position <= this.#deliveredTo) return { message, mustBeSaved: false };
    this.#deliveredTo = position + MARK_AHEAD;
    return { message, mustBeSaved: true };
  }

  /** Undoes a delivery that could not be saved. */
  putBack(message: Message): void {
    this.#again.unshift(message);
    if (this.#changes.has(message.position)) {
      this.#changes.set(message.position, { ...message, state: 'waiting' });
    }
  }

  /** It is to be delivered again. */
  requeue(message: Message): void {
    this.#again.push(message);
    this.#changes.set(message.position, { ...message, state: 'waiting' });
  }

  settle(message: Message): void {
    this.#answered({ ...message, state: 'done' });
  }

  park(message: Message, reason: string, parkedAt: number): void {
    this.#answered({ ...message, state: 'parked', reason, parkedAt });
  }

  /** Messages whose rows say already that they wait again. */
  replayed(positions: readonly number[]): void {
    for (const position of positions) this.#again.push({ position, deliveries: 0 });
  }

  /** Messages whose rows say already that they are done. */
  discarded(positions: readonly number[]): void {
    for (const position of positions) if (position > this.checkpoint) this.#doneAhead.add(position);
  }

  /** Every delivery has a row or an answer by now: nothing is doubtful after a restart. */
  forgetMark(): void {
    this.#deliveredTo = this.checkpoint;
  }

  /** What has to be written down; `saved` must follow when it was. */
  changes(): GroupChanges {
    const checkpoint = this.checkpoint;
    const rows: MessageRow[] = [];
    const removed = [...this.#doneAhead].filter((position) => position <= checkpoint);
    for (const row of this.#changes.values()) {
      if (row.state === 'done' && row.position <= checkpoint) removed.push(row.position);
      else rows.push(row);
    }
    return { checkpoint, deliveredTo: this.#deliveredTo, rows, removed };
  }

  saved({ checkpoint, deliveredTo, rows, removed }: GroupChanges): void {
    this.#saved = { checkpoint, deliveredTo };
    for (const row of rows) if (row.state === 'done') this.#doneAhead.add(row.position);
    for (const position of removed) this.#doneAhead.delete(position);
    this.#changes.clear();
  }

  #answered(row: MessageRow): void {
    this.#unanswered.delete(row.position);
    // A newer change goes to the end: parked messages are listed in the order in which they were parked.
    this.#changes.delete(row.position);
    this.#changes.set(row.position, row);
  }
}
