/** The SegmentDirectory port: where the segments of one export lie. A segment's name holds the SHA-256 of its bytes. */

export interface SegmentFile {
  /** From 1, in the order of the log. */
  readonly number: number;
  /** What the name says; whoever reads the file must check it. Hex. */
  readonly sha256: string;
  readonly name: string;
  readonly bytes: number;
}

export interface SegmentDirectory {
  /** For messages. */
  readonly name: string;
  /** The whole segments, by number; nothing half-written is among them. */
  list(): Promise<SegmentFile[]>;
  read(file: SegmentFile): AsyncIterable<Uint8Array>;
  /**
   * Writes a segment: durable and under its name when the promise resolves, and not there at all otherwise.
   * @throws StoreError `disk_full` or `unavailable`, or whatever `bytes` throws.
   */
  write(number: number, bytes: AsyncIterable<Uint8Array>): Promise<SegmentFile>;
}
