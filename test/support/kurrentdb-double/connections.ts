/** The listener: it knows every connection of the double, so that tests can break them. */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import type { ConnectionInjector } from '@grpc/grpc-js/build/src/server.js';

export class Connections {
  readonly #server: NetServer;
  readonly #sockets = new Map<string, Socket>();

  constructor(injector: ConnectionInjector) {
    this.#server = createServer((socket) => {
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      this.#sockets.set(peer, socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(peer));
      injector.injectConnection(socket);
    });
  }

  /** @returns the port listened on */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string')
      throw new Error('The double does not listen on a port.');
    return address.port;
  }

  /** Breaks the connection of one peer (`address:port`) at once. */
  drop(peer: string): void {
    this.#sockets.get(peer)?.resetAndDestroy();
  }

  dropAll(): void {
    for (const socket of this.#sockets.values()) socket.resetAndDestroy();
  }

  get count(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    this.dropAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
