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

interface FoundPieces {
  readonly pieces: readonly LocatedPiece[];
  /** Why one of the volumes could not be opened. */
  readonly damage: StoreError | undefined;
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

  /**
   * The first of the pieces of a stream, as the catalogue has them now.
   * @throws StoreError `archive_damaged` when it may be in a volume that cannot be opened
   */
  async oldestPiece(stream: string): Promise<ArchivedPiece | undefined> {
    const { pieces, damage } = await this.#piecesOf(stream);
    const [oldest] = pieces;
    if (damage && oldest?.first !== 0) throw damage;
    return oldest;
  }

  /** @throws StoreError `archive_damaged` when that depends on a volume that cannot be opened */
  async hasPieces(stream: string): Promise<boolean> {
    const { pieces, damage } = await this.#piecesOf(stream);
    if (damage && pieces.length === 0) throw damage;
    return pieces.length > 0;
  }

  /**
   * The events of a range that the store does not have. What was cut off before there was an archive is in neither.
   * @throws StoreError `archive_damaged` when the archive should have some of them and does not
   */
  async *read(stream: string, range: RevisionRange): AsyncGenerator<RecordedEvent> {
    const { pieces, damage } = await this.#piecesOf(stream);
    const [oldest] = pieces;
    if (damage) refuseWhatIsDamaged(damage, stream, pieces, range);
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

  /** By revision. A volume that is damaged keeps no stream from being read that has nothing in it. */
  async #piecesOf(stream: string): Promise<FoundPieces> {
    await this.#catalogue.refresh();
    const pieces: LocatedPiece[] = [];
    let damage: StoreError | undefined;
    for (const volume of this.#catalogue.volumes) {
      try {
        const piece = (await volume.open()).pieceOf(stream);
        if (piece) pieces.push({ ...piece, volume });
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== 'archive_damaged') throw error;
        damage ??= error;
      }
    }
    return { pieces: pieces.sort((one, other) => one.first - other.first), damage };
  }
}

/** What a volume that cannot be opened holds is not known: whatever is in no other one may be there. */
function refuseWhatIsDamaged(
  damage: StoreError,
  stream: string,
  pieces: readonly LocatedPiece[],
  range: RevisionRange,
): void {
  const revision = firstGap(pieces, range);
  if (revision === undefined) return;
  const message = `Revision ${revision} of ${stream} is in no volume that can be read. ${damage.message}`;
  throw new StoreError('archive_damaged', message, { cause: damage, volume: damage.volume });
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

function refuseGaps(stream: string, pieces: readonly LocatedPiece[], range: RevisionRange): void {
  const revision = firstGap(pieces, range);
  if (revision !== undefined) throw missing(stream, revision);
}

/** The first revision of the range that is in none of the pieces. */
function firstGap(
  pieces: readonly LocatedPiece[],
  { first, last }: Pick<RevisionRange, 'first' | 'last'>,
): number | undefined {
  let next = first;
  for (const { first: begins, cutBefore } of pieces) {
    if (begins > next || next > last) break;
    next = Math.max(next, cutBefore);
  }
  return next <= last ? next : undefined;
}

function missing(stream: string, revision: number): StoreError {
  return new StoreError(
    'archive_damaged',
    `Revision ${revision} of ${stream} is neither in the store nor in the archive.`,
  );
}
