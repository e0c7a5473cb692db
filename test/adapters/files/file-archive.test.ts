/** The archive on a disk: a disk that is full, and files that nobody but the owner reads. */
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { fileArchive } from '../../../src/adapters/files/archive/file-archive.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

it('on a full disk says that there is no room, and leaves nothing behind', async () => {
  const path = directory.file('full');
  const file = join(process.cwd(), 'src/adapters/files/archive/file-archive.ts');
  // The shell limits the size of files: a process has no other disk that it could fill.
  const script = `
    import { randomBytes } from 'node:crypto';
    import { fileArchive } from ${JSON.stringify(file)};
    const writer = await fileArchive(${JSON.stringify(path)}).openForWriting();
    const events = (async function* () {
      for (let revision = 0; revision < 1_000; revision += 1) {
        const data = { noise: randomBytes(1024).toString('hex') };
        yield { event: { stream: 'account-a', revision, position: BigInt(revision + 1), id: String(revision), type: 'T',
          recordedAt: '2026-01-01T00:00:00.000Z', data, metadata: {} } };
      }
    })();
    await writer.write('00000001-0123abcd', 'store', events).catch(({ code }) => console.log(code));
    await writer.close();`;
  const limited = `ulimit -f 400; exec "$0" --disable-warning=ExperimentalWarning --input-type=module -e "$1"`;
  const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, script]);
  expect(stdout).toBe('disk_full\n');
  expect(readdirSync(path)).toEqual(['archive.lock']);
});

it('has files that only their owner may read', async () => {
  const path = directory.file('private');
  const writer = await fileArchive(path).openForWriting();
  const event = {
    ...{ stream: 'account-a', revision: 0, position: 1n, id: '1', type: 'T', recordedAt: '', data: {} },
    metadata: {} as never,
  };
  const record = await writer.write(
    '00000001-0123abcd',
    'store',
    (async function* () {
      yield { event };
    })(),
  );
  await writer.close();
  expect(record).toMatchObject({ events: 1, streams: 1, first_position: '1', last_position: '1' });
  expect(statSync(path).mode & 0o077).toBe(0);
});
