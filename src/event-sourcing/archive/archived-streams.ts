/** The pieces of single streams that lie in the archive. */
import type { ReadDirection, RecordedEvent } from '../event-store.ts';
import { StoreError } from '../store-error.ts';
import type { ArchiveCatalogue, CataloguedVolume } from './archive-catalogue.ts';
import type { ArchivedPiece } from './archive-storage.ts';

/** Revisions of a stream, both ends among them. */
export interface RevisionRange {
  readonly first: number;
  readonly last: number;
  readonly direction: ReadDirection;
}

interface LocatedPiece extends ArchivedPiece {
  readonly volume: CataloguedVolume;
}

export class ArchivedStreams {
  readonly #catalogue: ArchiveCatalogue;
  readonly #prefix: string;

  constructor(catalogue: ArchiveCatalogue, prefix: string) {
    this.#catalogue = catalogue;
    this.#prefix = prefix;
  }

  /** Whether the stream is one of those that are archived. */
  mayHave(stream: string): boolean {
    return stream.startsWith(this.#prefix);
  }

  /** By revision, as the catalogue has them now. @throws StoreError `archive_damaged` when a volume cannot be opened */
  async piecesOf(stream: string): Promise<LocatedPiece[]> {
    await this.#catalogue.refresh();
    const pieces: LocatedPiece[] = [];
    for (const volume of this.#catalogue.volumes) {
      const piece = (await volume.open()).pieceOf(stream);
      if (piece) pieces.push({ ...piece, volume });
    }
    return pieces.sort((one, other) => one.first - other.first);
  }

  /**
   * The events of a range that the store does not have. What was cut off before there was an archive is in neither.
   * @throws StoreError `archive_damaged` when the archive should have some of them and does not
   */
  async *read(stream: string, range: RevisionRange): AsyncGenerator<RecordedEvent> {
    const pieces = await this.piecesOf(stream);
    const [oldest] = pieces;
    if (!oldest) return;
    const first = Math.max(range.first, oldest.first);
    refuseGaps(stream, pieces, { ...range, first });
    const inOrder = range.direction === 'forwards' ? pieces : pieces.toReversed();
    for (const piece of inOrder) {
      const wanted = {
        first: Math.max(first, piece.first),
        last: Math.min(range.last, piece.cutBefore - 1),
        direction: range.direction,
      };
      if (wanted.first <= wanted.last) yield* readPiece(stream, piece, wanted);
    }
  }
}

async function* readPiece(
  stream: string,
  { volume }: LocatedPiece,
  range: RevisionRange,
): AsyncGenerator<RecordedEvent> {
  const step = range.direction === 'forwards' ? 1 : -1;
  let expected = step > 0 ? range.first : range.last;
  for await (const event of (await volume.open()).readStream(stream, range)) {
    if (event.revision !== expected) throw missing(stream, expected);
    yield event;
    expected += step;
  }
  if (expected !== (step > 0 ? range.last + 1 : range.first - 1)) throw missing(stream, expected);
}

function refuseGaps(stream: string, pieces: readonly LocatedPiece[], { first, last }: RevisionRange): void {
  let next = first;
  for (const { first: begins, cutBefore } of pieces) {
    if (begins > next || next > last) break;
    next = Math.max(next, cutBefore);
  }
  if (next <= last) throw missing(stream, next);
}

function missing(stream: string, revision: number): StoreError {
  return new StoreError(
    'archive_damaged',
    `Revision ${revision} of ${stream} is neither in the store nor in the archive.`,
  );
}
