/** The manifest of a backup: which runs were made, how far each went, and the checksums that a reader holds it to. */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { StoreError } from '../store-error.ts';

const FORMAT = 'openbank-backup';
/** Grows when an older program could misread what a newer one writes. */
const VERSION = 1;
/** Older runs are taken off the list, with their states; their events stay. */
const RUNS_KEPT_MAX = 1_000;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);
const position = z
  .string()
  .regex(/^\d{1,40}$/)
  .transform(BigInt);
const time = z.iso.datetime();

const runSchema = z.object({
  /** From 1. */
  number: z.int().min(1),
  started_at: time,
  /** The instant of which everything is: what was acknowledged before is in it, and nothing that came later. */
  as_of: time,
  finished_at: time,
  /** The newest position that the store had given by then; of the events in the backup, and of those left out. */
  head_position: position,
  /** Of the newest event in the backup. */
  last_position: position.optional(),
  /** Events of all runs up to this one. */
  events: count,
  new_events: count,
  /** Of those events, see event-digest.ts. */
  digest: sha256,
  /** Segments of all runs up to this one, and the checksum of the newest. */
  segments: count,
  last_segment: sha256.optional(),
  /** Checksum of the file of the same number in `state`. */
  state: sha256,
});

const manifestSchema = z.object({
  store_id: z.string().min(1),
  first_position: position.optional(),
  runs: z.array(runSchema).min(1),
});

export type BackupRun = z.output<typeof runSchema>;
export type BackupManifest = z.output<typeof manifestSchema>;

/** The newest run. */
export function newestRun({ runs }: BackupManifest): BackupRun {
  return runs.at(-1) as BackupRun;
}

/** The runs with another one, without those that are too old to stay on the list. */
export function withRun(runs: readonly BackupRun[], run: BackupRun): BackupRun[] {
  return [...runs, run].slice(-RUNS_KEPT_MAX);
}

export function manifestText(manifest: BackupManifest): string {
  const content = { format: FORMAT, version: VERSION, ...manifest };
  const plain: unknown = JSON.parse(JSON.stringify(content, positionAsString));
  return `${JSON.stringify({ ...(plain as object), checksum: checksumOf(plain) }, undefined, 2)}\n`;
}

/**
 * @param name of the directory, for messages
 * @throws StoreError `corrupt` when it is not as it was written, `unsupported` when a newer program wrote it
 */
export function parseManifest(text: string, name: string): BackupManifest {
  const { checksum, ...content } = jsonOf(text);
  if (content.format !== FORMAT) throw damaged(name, 'it is not the manifest of an OpenBank backup');
  if (content.version !== VERSION) {
    const detail = `it has format ${content.version}, and this program reads format ${VERSION}`;
    throw new StoreError('unsupported', `${name}/backup.json is of another version of OpenBank: ${detail}.`);
  }
  if (checksum !== checksumOf(content)) {
    throw damaged(name, 'its checksum is another one, so it was altered or cut short');
  }
  const parsed = manifestSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw damaged(name, `${parsed.error.issues[0]?.path.join('.')} is not what it should be`);
}

function damaged(name: string, detail: string): StoreError {
  return new StoreError('corrupt', `${name}/backup.json is damaged: ${detail}.`);
}

function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

function checksumOf(content: unknown): string {
  return hash('sha256', JSON.stringify(content));
}

/** A `bigint` has no JSON; only positions are one. */
function positionAsString(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
