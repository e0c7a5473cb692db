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
  /** Why one of the volumes could not be opened: `archive_damaged`, `unavailable` or `corrupt`. */
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
   * @throws StoreError what kept a volume from being opened, when it may be in there
   */
  async oldestPiece(stream: string): Promise<ArchivedPiece | undefined> {
    const { pieces, damage } = await this.#piecesOf(stream);
    const [oldest] = pieces;
    if (damage && oldest?.first !== 0) throw damage;
    return oldest;
  }

  /** @throws StoreError what kept a volume from being opened, when that depends on it */
  async hasPieces(stream: string): Promise<boolean> {
    const { pieces, damage } = await this.#piecesOf(stream);
    if (damage && pieces.length === 0) throw damage;
    return pieces.length > 0;
  }

  /**
   * The events of a range that the store does not have, as far as they are there: a reader who wants no more than comes
   * before a damage hears nothing of it. What was cut off before there was an archive is in neither.
   * @throws StoreError `archive_damaged` at the first event that the archive should have and does not, `unavailable` where
   *   a volume that may have it cannot be read
   */
  async *read(stream: string, range: RevisionRange): AsyncGenerator<RecordedEvent> {
    const { pieces, damage } = await this.#piecesOf(stream);
    const [oldest] = pieces;
    if (!oldest && !damage) return;
    // What a volume that cannot be opened holds is not known: whatever is in no other one may be there.
    const first = damage ? range.first : Math.max(range.first, oldest?.first ?? 0);
    const isForwards = range.direction === 'forwards';
    let expected = isForwards ? first : range.last;
    const isLeft = () => (isForwards ? expected <= range.last : expected >= first);
    for (const piece of isForwards ? pieces : pieces.toReversed()) {
      if (!isLeft()) return;
      const wanted = isForwards
        ? { ...range, first: expected, last: Math.min(range.last, piece.cutBefore - 1) }
        : { ...range, first: Math.max(first, piece.first), last: expected };
      if (wanted.first > wanted.last) continue;
      if (!(piece.first <= expected && expected < piece.cutBefore)) break;
      yield* readPiece(stream, piece, wanted);
      expected = isForwards ? wanted.last + 1 : wanted.first - 1;
    }
    if (isLeft()) throw missing(stream, expected, damage);
  }

  /** By revision. A volume that cannot be opened keeps no stream from being read that has nothing in it. */
  async #piecesOf(stream: string): Promise<FoundPieces> {
    await this.#catalogue.refresh();
    const pieces: LocatedPiece[] = [];
    let damage: StoreError | undefined;
    for (const volume of this.#catalogue.volumes) {
      try {
        const piece = (await volume.open()).pieceOf(stream);
        if (piece) pieces.push({ ...piece, volume });
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        damage ??= error;
      }
    }
    return { pieces: pieces.sort((one, other) => one.first - other.first), damage };
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

/** @param damage why a volume that may have it could not be opened */
function missing(stream: string, revision: number, damage?: StoreError): StoreError {
  const what = `Revision ${revision} of ${stream} is`;
  if (!damage) return new StoreError('archive_damaged', `${what} neither in the store nor in the archive.`);
  const message = `${what} in no volume that can be read. ${damage.message}`;
  return new StoreError(damage.code, message, { cause: damage, volume: damage.volume });
}
