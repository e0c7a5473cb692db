/** Every command with `--docker`, and all that can be wrong with Docker, against programs that stand in for it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type Cli, cliIn } from '../run-cli.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { type Answers, fakeDocker, readyService, running, WORKING } from './fake-docker.ts';

let cli: Cli;
beforeEach(async () => {
  cli = await cliIn(temporaryDirectory());
});

describe('without a Docker that can be used', () => {
  it.each([['start'], ['status'], ['logs'], ['stop'], ['restart'], ['reset', '--yes']])(
    '%s says that Docker is not installed, with 4',
    async (...args) => {
      const { code, stdout, stderr } = await cli.run([...args, '--docker'], { PATH: temporaryDirectory() });
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
      expect(stderr).toMatch(/^openbank: Docker is not installed: .*\n$/);
    },
  );

  it.each<[string, Answers, RegExp]>([
    [
      'its engine does not run',
      { 'version *': 'echo warning >&2; echo "Cannot connect to the daemon. Is it running?" >&2; exit 1' },
      /^openbank: Docker's engine does not answer: Cannot connect to the daemon\. Is it running\?\n$/,
    ],
    [
      'the compose plugin is missing',
      { ...WORKING, 'compose version *': 'echo "unknown command: docker compose" >&2; exit 1' },
      /^openbank: Docker has no compose plugin\. See https:.*\n$/,
    ],
    [
      'the compose plugin is too old',
      { ...WORKING, 'compose version *': 'echo v2.17.3' },
      /^openbank: Docker's compose plugin is too old: it is v2\.17\.3, but 2\.28 or newer is needed\.\n$/,
    ],
  ])('says with 4 that %s, and starts nothing', async (_what, answers, sentence) => {
    const docker = fakeDocker(answers);
    const { code, stderr } = await cli.run(['start', '--docker'], docker.env);
    expect({ code, calls: docker.calls() }).toEqual({ code: 4, calls: [] });
    expect(stderr).toMatch(sentence);
  });

  it.each(['2.28.0', 'v5.2.0', 'dev'])('takes version %s of the compose plugin', async (version) => {
    const docker = fakeDocker({ ...WORKING, 'compose version *': `echo ${version}` });
    expect((await cli.run(['stop', '--docker'], docker.env)).code).toBe(0);
  });
});

const UP = 'compose up --detach --remove-orphans --wait --wait-timeout 300';
const PS = 'compose --profile cloudevents ps --all --format json';

/** Containers are there from `up` to `down`. */
function engine(containers: readonly string[], others: Answers = {}): Answers {
  const listed = containers.map((container) => `echo '${container}'`).join('; ');
  return {
    ...WORKING,
    'compose up *': 'touch "$here/up"; echo "Container created"',
    'compose * down *': 'rm -f "$here/up"; echo "Container removed" >&2',
    'compose * ps *': `if [ -e "$here/up" ]; then ${listed || 'true'}; fi`,
    ...others,
  };
}

describe('start --docker', () => {
  it('starts the containers, waits for the API, and tells where everything is', async () => {
    const port = await readyService();
    const ports = [
      running('api', 8899, port),
      running('kurrentdb', 2113, 12113),
      running('mongo-express', 8081, 18081),
    ];
    const docker = fakeDocker(engine(ports));
    const { code, stdout, stderr } = await cli.run(['start', '--docker'], docker.env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Container created\n' });
    expect(docker.calls()).toEqual([UP, PS]);
    for (const place of [
      `http://127.0.0.1:${port}/api/v1`,
      `http://127.0.0.1:${port}/api/docs`,
      'http://127.0.0.1:12113',
      'http://127.0.0.1:18081',
      './openbank stop --docker',
    ]) {
      expect(stdout).toContain(place);
    }
    expect(stdout).not.toContain('CloudEvents');

    const json = await cli.run(['restart', '--docker', '--json'], docker.env);
    expect(JSON.parse(json.stdout)).toEqual({
      outcome: 'started',
      url: `http://127.0.0.1:${port}`,
      docs_url: `http://127.0.0.1:${port}/api/docs`,
      health_url: `http://127.0.0.1:${port}/health/ready`,
      kurrentdb_url: 'http://127.0.0.1:12113',
      mongo_express_url: 'http://127.0.0.1:18081',
      cloudevents_viewer_url: null,
    });
  });

  it('says when compose fails', async () => {
    const docker = fakeDocker(
      engine([], { 'compose up *': 'echo "port is already allocated" >&2; exit 17' }),
    );
    expect(await cli.run(['start', '--docker'], docker.env)).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'port is already allocated\nopenbank: docker compose up failed with exit code 17 (see above).\n',
    });
  });

  it('leaves the terminal to compose in the foreground', async () => {
    const docker = fakeDocker(engine([], { 'compose up *': 'echo "kurrentdb | ready"; exit 3' }));
    const { code, stdout } = await cli.run(['start', '--docker', '--foreground'], docker.env);
    expect({ code, stdout }).toEqual({ code: 3, stdout: 'kurrentdb | ready\n' });
  });
});

describe('status --docker', () => {
  it('says with 3 that nothing runs', async () => {
    const { code, stdout } = await cli.run(['status', '--docker'], fakeDocker(WORKING).env);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '● OpenBank is not running.\n' });
  });

  it('shows the service and every container', async () => {
    const docker = fakeDocker({
      ...WORKING,
      'compose * ps *': `echo '${running('api', 8899, await readyService())}'`,
    });
    const { code, stdout } = await cli.run(['status', '--docker'], docker.env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^● OpenBank is ready\.$/m);
    expect(stdout).toMatch(/^ {2}openbank-api-1 +api +healthy +Up 2 minutes/m);
  });

  it('says with 1 that containers run but the API does not answer', async () => {
    const docker = fakeDocker({ ...WORKING, 'compose * ps *': `echo '${running('kurrentdb', 2113, 2113)}'` });
    const { code, stdout } = await cli.run(['status', '--docker', '--json'], docker.env);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'unhealthy',
      service: null,
      containers: [{ Service: 'kurrentdb' }],
    });
  });
});

describe('stop --docker', () => {
  it('removes the containers and keeps their volumes', async () => {
    const docker = fakeDocker({ ...engine([]), 'compose * ps *': `echo '${running('api', 8899, 1)}'` });
    const { code, stdout } = await cli.run(['stop', '--docker'], docker.env);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'The containers have stopped. Their data is kept.\n',
    });
    expect(docker.calls()).toEqual([PS, 'compose --profile cloudevents down --remove-orphans']);
  });

  it('is no failure when nothing runs', async () => {
    const docker = fakeDocker(WORKING);
    const { code, stdout } = await cli.run(['stop', '--docker', '--json'], docker.env);
    expect({ code, ...JSON.parse(stdout) }).toEqual({ code: 0, outcome: 'not_running' });
    expect(docker.calls()).toEqual([PS]);
  });
});

describe('reset --docker', () => {
  const answers: Answers = {
    ...engine([]),
    'compose config --format json': `echo '{"name": "openbank"}'`,
    'volume ls --filter label=com.docker.compose.project=openbank *': 'echo openbank_mongodb-data',
  };

  it('names what it would delete, and deletes nothing without being told', async () => {
    const docker = fakeDocker(answers);
    const { code, stdout, stderr } = await cli.run(['reset', '--docker'], docker.env);
    expect(code).toBe(2);
    expect(stdout).toContain('openbank_mongodb-data');
    expect(stderr).toMatch(/needs --yes/);
    expect(docker.calls().some((call) => call.includes('down'))).toBe(false);
  });

  it('deletes containers and volumes on --yes', async () => {
    const docker = fakeDocker(answers);
    expect((await cli.run(['reset', '--docker', '--yes'], docker.env)).code).toBe(0);
    expect(docker.calls().at(-1)).toBe('compose --profile cloudevents down --volumes --remove-orphans');
  });

  it('says when there is nothing', async () => {
    const docker = fakeDocker({
      ...WORKING,
      'compose config --format json': `echo '{"name": "other"}'`,
      'volume ls --filter label=com.docker.compose.project=other *': 'true',
    });
    const { code, stdout } = await cli.run(['reset', '--docker', '--yes'], docker.env);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'There is nothing to delete in Docker.\n' });
    expect(docker.calls().some((call) => call.includes('down'))).toBe(false);
  });
});

describe('logs --docker', () => {
  const line = '{"level":"info","time":"2026-01-01T00:00:00.000Z","msg":"listening"}';
  const answers: Answers = { ...WORKING, 'compose logs *': `echo '${line}'` };

  it('shows the lines of API and worker, readable or as they are', async () => {
    const docker = fakeDocker(answers);
    const pretty = await cli.run(['logs', '--docker', '-n', '7', '-f'], docker.env);
    expect(pretty.code).toBe(0);
    expect(pretty.stdout).toMatch(/INFO.*listening/);
    expect(docker.calls()).toEqual(['compose logs --no-color --no-log-prefix --tail 7 --follow api worker']);
    expect((await cli.run(['logs', '--docker', '--json'], docker.env)).stdout).toBe(`${line}\n`);
  });

  it('says when compose fails', async () => {
    const docker = fakeDocker({ ...WORKING, 'compose logs *': 'echo "no such service" >&2; exit 1' });
    const { code, stderr } = await cli.run(['logs', '--docker'], docker.env);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'no such service\nopenbank: docker compose logs failed with exit code 1 (see above).\n',
    });
  });
});
