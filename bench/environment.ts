/** What the figures depend on: the machine, the runtime, and how fast its disk makes a write durable. */
import {
  closeSync,
  fdatasyncSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { median } from './statistics.ts';

const SYNC_BYTES = 4096;
const SYNC_MS = 1_000;
/** Magic numbers of file systems in memory, from Linux's `statfs(2)`. */
const MEMORY_FILE_SYSTEMS: Readonly<Record<number, string>> = { 16914836: 'tmpfs', 2240043254: 'ramfs' };

export interface Environment {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly system: string;
  readonly node: string;
  readonly file_system: string;
  readonly median_sync_ms: number;
  readonly syncs_per_second: number;
}

/** The name of the memory file system that a directory lies on, if it does. */
export function memoryFileSystem(dir: string): string | undefined {
  return MEMORY_FILE_SYSTEMS[statfsSync(dir).type];
}

export function describeEnvironment(dir: string): Environment {
  const syncs = measureSyncs(dir);
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory_gib: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
    file_system: fileSystemOf(dir),
    ...syncs,
  };
}

/** The type of the mount that holds a directory; where the system lists no mounts, its number. */
function fileSystemOf(dir: string): string {
  try {
    const path = realpathSync(dir);
    const mounts = readFileSync('/proc/self/mounts', 'utf8').trim().split('\n');
    const holding = mounts
      .map((line) => line.split(' '))
      .map(([, point = '', type = '']) => ({ point, type }))
      .filter(({ point }) => path === point || path.startsWith(point === '/' ? '/' : `${point}/`))
      .toSorted((a, b) => b.point.length - a.point.length);
    return holding[0]?.type ?? 'unknown';
  } catch {
    return `type 0x${statfsSync(dir).type.toString(16)}`;
  }
}

/** Appends 4 KiB and waits until they are durable, over and over: what a commit of one event costs at least. */
function measureSyncs(dir: string): Pick<Environment, 'median_sync_ms' | 'syncs_per_second'> {
  const path = join(dir, 'sync.tmp');
  const file = openSync(path, 'w');
  const block = Buffer.alloc(SYNC_BYTES, 1);
  const durations: number[] = [];
  const startedAt = performance.now();
  let now = startedAt;
  while (now - startedAt < SYNC_MS) {
    writeSync(file, block);
    fdatasyncSync(file);
    const after = performance.now();
    durations.push(after - now);
    now = after;
  }
  closeSync(file);
  rmSync(path);
  return {
    median_sync_ms: median(durations),
    syncs_per_second: durations.length / ((now - startedAt) / 1000),
  };
}
