/** What the verbs send, and what they make of services that answer badly or not at all. */
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { cliOn } from './in-process.ts';
import { type Recorded, type Reply, recordingServer } from './recording-server.ts';

const ACCOUNT = { id: 'a1', status: 'ACTIVE', balance: '1.00', currency: 'USD', revision: 3 };
const WRITTEN: Reply = { body: JSON.stringify(ACCOUNT), headers: { 'x-consistency-token': 'token:7' } };

function isStatus({ line }: Recorded): boolean {
  return line.startsWith('GET /health/') || line.startsWith('GET /admin/');
}

/** A service that looks like OpenBank to a probe, and answers everything else as the test says. */
function bankLike(answer: (request: Recorded) => Reply | undefined) {
  const status = { version: '1', pid: 1, event_store: {}, read_models: {}, projections: [], status: 'ready' };
  return recordingServer((request) =>
    isStatus(request) ? { body: JSON.stringify(status) } : answer(request),
  );
}

describe('a change', () => {
  it('carries its key, its revision and its amount untouched, and reads at its own token', async () => {
    const { url, requests } = await bankLike(() => WRITTEN);
    const flags = ['--idempotency-key', 'k 1', '--if-match', '2'];
    expect(await cliOn(url)('account', 'limit', 'a1', '0750.10', ...flags)).toMatchObject({ code: 0 });
    const [written, read, ...more] = requests;
    expect(written).toMatchObject({
      line: 'PUT /api/v1/accounts/a1/overdraft-limit',
      body: '{"overdraft_limit":"0750.10"}',
      headers: { 'idempotency-key': 'k 1', 'if-match': '"2"', 'content-type': 'application/json' },
    });
    expect(read).toMatchObject({
      line: 'GET /api/v1/accounts/a1',
      headers: { 'x-consistency-token': 'token:7' },
    });
    expect(read?.headers).not.toHaveProperty('idempotency-key');
    expect(more).toEqual([]);
  });

  it('sends an ETag as it is, and no header that nobody asked for', async () => {
    const { url, requests } = await bankLike(() => WRITTEN);
    await cliOn(url)('account', 'hold', 'release', 'a1', 'h1', '--if-match', '"2"', '-q');
    await cliOn(url)('account', 'hold', 'release', 'a1', 'h1', '--if-match', '*', '-q');
    await cliOn(url)('account', 'hold', 'release', 'a1', 'h1', '-q');
    const written = requests.filter(({ line }) => line === 'POST /api/v1/accounts/a1/holds/h1/release');
    expect(written.map(({ headers }) => headers['if-match'])).toEqual(['"2"', '*', undefined]);
    expect(written.at(-1)?.headers).not.toHaveProperty('idempotency-key');
    expect(written.map(({ body }) => body)).toEqual(['', '', '']);
  });

  it.each(['', 'a\nb', 'ключ', ' '])('is not sent with the key %j', async (key) => {
    const { url, requests } = await bankLike(() => WRITTEN);
    const outcome = await cliOn(url)('deposit', 'a1', '5', '--idempotency-key', key);
    const sentence = '--idempotency-key takes printable ASCII characters only, and needs one.';
    expect(outcome).toEqual({ code: 2, stdout: '', stderr: `openbank: ${sentence}\n` });
    expect(requests).toEqual([]);
  });

  it.each([['-q'], ['--json']])(
    'waits for the read models with %s, for the command that comes next',
    async (flag) => {
      const posting = { transaction_id: 't1', balance: '5.00' };
      const { url, requests } = await bankLike(() => ({ ...WRITTEN, body: JSON.stringify(posting) }));
      await cliOn(url)('deposit', 'a1', '5', flag);
      expect(requests.at(-1)).toMatchObject({
        line: 'GET /api/v1/transactions/t1',
        headers: { 'x-consistency-token': 'token:7' },
      });
    },
  );

  it('is no failure when only the read after it is one', async () => {
    const behind = { status: 503, body: '{"code":"read_model_behind","title":"Behind","detail":"Later."}' };
    const { url } = await bankLike(({ line }) => (line.startsWith('GET') ? behind : WRITTEN));
    const { code, stdout, stderr } = await cliOn(url)('account', 'limit', 'a1', '1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Balance +1\.00 USD$/m);
  });

  it('without an answer may have been carried out, and the sentence says so', async () => {
    const { url } = await bankLike(() => undefined);
    const lost = await cliOn(url)('deposit', 'a1', '5');
    expect(lost).toMatchObject({ code: 1, stdout: '' });
    expect(lost.stderr).toMatch(/It may have been carried out all the same: look before you repeat it\.\n$/);
    const named = await cliOn(url)('deposit', 'a1', '5', '--idempotency-key', 'k');
    expect(named.stderr).toMatch(/repeat it with the same --idempotency-key\.\n$/);
    expect((await cliOn(url)('account', 'show', 'a1')).stderr).not.toContain('carried out');
  });
});

describe('a service', () => {
  it('that is not there is what status says, with 3', async () => {
    const url = await addressOfNobody();
    for (const args of [
      ['account', 'list'],
      ['deposit', 'a1', '1'],
    ]) {
      expect(await cliOn(url)(...args)).toEqual({
        code: 3,
        stdout: '',
        stderr: 'openbank: OpenBank is not running.\n',
      });
    }
  });

  it('that is another program is told from a bank', async () => {
    const { url } = await recordingServer(() => ({ status: 404, body: '<html>' }));
    expect(await cliOn(url)('account', 'list')).toEqual({
      code: 3,
      stdout: '',
      stderr: `openbank: OpenBank is not running. Another program answers at ${url}.\n`,
    });
  });

  it('that is a bank but answers nonsense, or fails, ends with 1', async () => {
    const nonsense = await bankLike(() => ({ status: 502, body: '<html>' }));
    const { code, stderr } = await cliOn(nonsense.url)('account', 'list');
    expect([code, stderr]).toEqual([
      1,
      'openbank: The answer to GET /accounts (status 502) is none that OpenBank would give.\n',
    ]);
    const failing = await bankLike(() => ({
      status: 500,
      body: '{"code":"internal_error","title":"Internal error","detail":"It failed."}',
    }));
    expect(await cliOn(failing.url)('account', 'list')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'openbank: Internal error: It failed.\n',
    });
  });

  it('cannot steer the terminal with texts of customers', async () => {
    const item = {
      transaction_id: 't',
      description: 'a\u001b[2Jb\nc\u202ed',
      amount: '1',
      direction: 'CREDIT',
    };
    const { url } = await bankLike(() => ({ body: JSON.stringify({ items: [item] }) }));
    const { stdout } = await cliOn(url)('account', 'transactions', 'a1');
    expect(stdout.split('\n')[1]).toMatch(/a \[2Jb c d$/);
  });
});

/** An address at which somebody listened, but does no more. */
async function addressOfNobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}
