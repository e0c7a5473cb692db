/** What a connection string may say, and that complaints about one never show its password. */
import { describe, expect, it } from 'vitest';
import { KurrentDbClient } from '../../../src/adapters/kurrentdb/client.ts';
import { describeHosts, parseConnectionString } from '../../../src/adapters/kurrentdb/connection-string.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';

const SECRET = 'hunter2';

describe('a connection string', () => {
  it.each([
    ['esdb://localhost', false],
    ['kurrentdb://localhost', false],
    ['esdb+discover://localhost', true],
    ['kurrentdb+discover://localhost', true],
    ['kurrentdb://localhost/', false],
  ])('%s names one host at the default port', (url, discover) => {
    expect(parseConnectionString(url)).toEqual({
      hosts: [{ address: 'localhost', port: 2113 }],
      discover,
      options: {},
    });
  });

  it('names several hosts, a user and options', () => {
    const url =
      'esdb://open%3Abank:p%40ss%3Aword@one:1111,two,[::1]:3333/?tls=false&NodePreference=Follower&defaultDeadline=500&keepAliveInterval=-1&connectionName=open%20bank&throwOnAppendFailure=false';
    expect(parseConnectionString(url)).toEqual({
      hosts: [
        { address: 'one', port: 1111 },
        { address: 'two', port: 2113 },
        { address: '[::1]', port: 3333 },
      ],
      discover: false,
      credentials: { username: 'open:bank', password: 'p@ss:word' },
      options: {
        tls: false,
        nodePreference: 'follower',
        defaultDeadline: 500,
        keepAliveInterval: -1,
        connectionName: 'open bank',
      },
    });
  });

  it.each([
    ['http://admin:hunter2@localhost', 'must begin with esdb://'],
    ['kurrentdb://', 'name a host'],
    ['kurrentdb://admin:hunter2@', 'name a host'],
    ['kurrentdb://admin:hunter2@one,,two', 'name a host'],
    ['kurrentdb://admin:hunter2@localhost:port', 'name a host'],
    ['kurrentdb://admin:hunter2@localhost:70000', 'port'],
    ['kurrentdb://hunter2@localhost', 'user name'],
    ['kurrentdb://admin:hunter2%@localhost', 'percent-encoded'],
    ['kurrentdb://admin:hunter2@localhost?tsl=false', '"tsl"'],
    ['kurrentdb://admin:hunter2@localhost?tls=no', 'tls must be true or false'],
    ['kurrentdb://admin:hunter2@localhost?defaultDeadline=soon', 'defaultDeadline must be a whole number'],
    ['kurrentdb://admin:hunter2@localhost?nodePreference=best', 'nodePreference must be one of'],
    ['kurrentdb://admin:hunter2@localhost?tls', 'tls has no value'],
  ])('%s is refused with a reason that keeps the password', (url, reason) => {
    const error = thrownBy(() => parseConnectionString(url));
    expect(error.code).toBe('invalid_request');
    expect(error.message).toContain(reason);
    expect(error.message).not.toContain(SECRET);
  });

  it('is shown in messages without its credentials', () => {
    const settings = parseConnectionString('kurrentdb://admin:hunter2@one,two:2?tls=false');
    expect(describeHosts(settings)).toBe('one:2113, two:2');
    expect(new KurrentDbClient(settings).store).toBe('KurrentDB at one:2113, two:2');
  });

  it.each([
    ['tlsCAFile=/no/such/file.crt', 'tlsCAFile'],
    ['userCertFile=/no/such/user.crt', 'belong together'],
  ])('with %s names the trouble with the file', (option, reason) => {
    const settings = parseConnectionString(`kurrentdb://localhost?${option}`);
    const error = thrownBy(() => new KurrentDbClient(settings));
    expect(error.code).toBe('invalid_request');
    expect(error.message).toContain(reason);
  });
});

function thrownBy(work: () => unknown): StoreError {
  try {
    work();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}
