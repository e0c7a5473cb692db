/** The state file of a double that must survive being killed: one line of JSON per transaction, written before the answer. */
import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import type { ProposedEvent, Transaction } from './event-log.ts';

type JournalledEvent = [id: string, type: string, isJson: boolean, data: string, metadata: string];

interface JournalLine {
  readonly stream: string;
  readonly firstRevision: number;
  readonly created: number;
  readonly events: readonly JournalledEvent[];
}

function toLine({ stream, firstRevision, created, events }: Transaction): string {
  const line: JournalLine = {
    stream,
    firstRevision,
    created,
    events: events.map(({ id, type, isJson, data, metadata }) => [
      id,
      type,
      isJson,
      Buffer.from(data).toString('base64'),
      Buffer.from(metadata).toString('base64'),
    ]),
  };
  return `${JSON.stringify(line)}\n`;
}

function fromLine(text: string): Transaction {
  const { events, ...rest } = JSON.parse(text) as JournalLine;
  return {
    ...rest,
    events: events.map(
      ([id, type, isJson, data, metadata]): ProposedEvent => ({
        id,
        type,
        isJson,
        data: Buffer.from(data, 'base64'),
        metadata: Buffer.from(metadata, 'base64'),
      }),
    ),
  };
}

/** It is never synced: it has to outlive its process, not the machine. */
export class Journal {
  readonly #path: string;
  #file: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** What was written so far; a line that the death of a process cut short was never acknowledged and goes. */
  load(): Transaction[] {
    if (!existsSync(this.#path)) return [];
    const content = readFileSync(this.#path);
    const whole = content.lastIndexOf(0x0a) + 1;
    if (whole < content.length) truncateSync(this.#path, whole);
    return content
      .subarray(0, whole)
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map(fromLine);
  }

  write(transaction: Transaction): void {
    this.#file ??= openSync(this.#path, 'a');
    const bytes = Buffer.from(toLine(transaction));
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(this.#file, bytes, written, bytes.length - written);
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
