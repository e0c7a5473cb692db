/** `transfer`: what it sends, and what it makes of every way in which a transfer goes. */
import { describe, expect, it } from 'vitest';
import { cliOn } from './in-process.ts';
import { recordingServer } from './recording-server.ts';

/** A bank whose transfer is answered with `status`, and is read again as `later`. */
function bankThatAnswers(status: number, first: object, later: object = first) {
  const answer = { id: 't1', amount: '0010.00', currency: 'USD', steps: [] };
  return recordingServer(({ line }) => {
    const posted = line.startsWith('POST');
    const headers = posted ? { 'x-consistency-token': 'token:9' } : {};
    return {
      status: posted ? status : 200,
      body: JSON.stringify({ ...answer, ...(posted ? first : later) }),
      headers,
    };
  });
}

describe('transfer', () => {
  it('sends accounts, the amount as typed and its key, and reads at the token', async () => {
    const { url, requests } = await bankThatAnswers(201, { status: 'COMPLETED' });
    const args = ['a1', 'a2', '0010.00', '-d', 'Rent', '--idempotency-key', 'rent-03'];
    const outcome = await cliOn(url)('transfer', ...args);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toMatch(/^Status +COMPLETED$/m);
    const [sent, read] = requests;
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      from_account_id: 'a1',
      to_account_id: 'a2',
      amount: '0010.00',
      description: 'Rent',
    });
    expect(sent).toMatchObject({
      line: 'POST /api/v1/transactions/transfer',
      headers: { 'idempotency-key': 'rent-03' },
    });
    expect(read).toMatchObject({
      line: 'GET /api/v1/transfers/t1',
      headers: { 'x-consistency-token': 'token:9' },
    });
  });

  it('that goes on in the background is no failure, and says so', async () => {
    const { url } = await bankThatAnswers(202, { status: 'DEBITED' });
    const { code, stdout, stderr } = await cliOn(url)('transfer', 'a1', 'a2', '10', '-q');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 't1\n' });
    expect(stderr).toBe('The transfer is on record and goes on in the background.\n');
  });

  it('that has ended by the time of the read says nothing more', async () => {
    const { url } = await bankThatAnswers(202, { status: 'DEBITED' }, { status: 'COMPLETED' });
    expect(await cliOn(url)('transfer', 'a1', 'a2', '10')).toMatchObject({ code: 0, stderr: '' });
  });

  it.each(['REJECTED', 'REFUNDED', 'IN_SUSPENSE'])(
    'that ended as %s exits with 5 and the reason',
    async (status) => {
      const steps = [{ status: 'REQUESTED' }, { status, detail: 'The account is closed.' }];
      const { url } = await bankThatAnswers(201, { status, steps });
      const { code, stdout, stderr } = await cliOn(url)('transfer', 'a1', 'a2', '10', '--json');
      expect(code).toBe(5);
      expect(JSON.parse(stdout)).toMatchObject({ id: 't1', status });
      expect(stderr).toBe(`openbank: The transfer ended as ${status}: The account is closed.\n`);
    },
  );

  it('needs two accounts and an amount', async () => {
    const { url } = await bankThatAnswers(201, {});
    expect(await cliOn(url)('transfer', 'a1', 'a2')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'openbank: transfer needs AMOUNT. See ./openbank transfer --help.\n',
    });
  });
});
