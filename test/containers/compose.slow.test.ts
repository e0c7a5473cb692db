/** The containers as a whole, where there is a Docker: the guide's workflow over HTTP, on KurrentDB and MongoDB. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { DockerComposeEnvironment, type StartedDockerComposeEnvironment, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BankClient } from '../support/bank-client.ts';
import { ALICE, posting } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PROJECT = `openbank-test-${process.pid}`;
/** Images may have to be downloaded and built. */
const START_MS_MAX = 15 * 60_000;

const hasDocker = [
  ['version', '--format', '{{.Server.Version}}'],
  ['compose', 'version'],
].every((args) => spawnSync('docker', args, { timeout: 20_000 }).status === 0);

describe.skipIf(!hasDocker)(`the containers${hasDocker ? '' : ' (skipped: no Docker)'}`, () => {
  let stack: StartedDockerComposeEnvironment;
  let client: BankClient;

  beforeAll(async () => {
    // Port 0 takes any free one, so that a bank which runs already is left alone.
    const ports = ['OPENBANK_PORT', 'KURRENTDB_PORT', 'MONGODB_PORT', 'MONGO_EXPRESS_PORT'];
    stack = await new DockerComposeEnvironment(ROOT, 'docker-compose.yml')
      .withProjectName(PROJECT)
      .withEnvironment(Object.fromEntries(ports.map((name) => [name, '0'])))
      .withClientOptions({ commandOptions: ['--scale', 'worker=2'] })
      .withDefaultWaitStrategy(Wait.forHealthCheck())
      .withStartupTimeout(START_MS_MAX)
      .up();
    client = new BankClient(address('api-1', 8899));
  }, START_MS_MAX);

  afterAll(() => stack?.down({ removeVolumes: true }));

  function address(container: string, port: number): string {
    const started = stack.getContainer(container);
    return `http://${started.getHost()}:${started.getMappedPort(port)}`;
  }

  it('take Alice from her registration to her balance', async () => {
    const alice = await client.call('registerPerson', { body: ALICE });
    const account = await client.call('createAccount', {
      body: { owner_id: alice.body.id, overdraft_limit: 500 },
    });
    const { id } = account.body;
    const paid = await client.call('deposit', { body: posting(id, 1000) });
    const seen = await client.call('getAccount', { params: { id }, token: paid.token });
    expect(seen.body).toMatchObject({
      owner: 'Alice Smith',
      balance: '1000.00',
      available_balance: '1500.00',
    });
  });

  it("show the accounts' events in the category that the guide names", async () => {
    const url = `${address('kurrentdb-1', 2113)}/streams/%24ce-bank-account`;
    await eventually('a stream $ce-bank-account', async () => {
      const { ok } = await fetch(url, { headers: { accept: 'application/vnd.eventstore.atom+json' } });
      return ok;
    });
  });

  it('stay as they are when the setup runs again', async () => {
    const args = ['start', '--attach', `${PROJECT}-setup-1`];
    const again = spawnSync('docker', args, { encoding: 'utf8' });
    expect(again.stderr).toBe('');
    expect(again.stdout).toMatch(/was there[\s\S]*nothing to change/);
  });
});
