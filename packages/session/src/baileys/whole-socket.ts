import {
  DEFAULT_CONNECTION_CONFIG,
  type UserFacingSocketConfig,
  type WASocket,
} from '@whiskeysockets/baileys';
import { makeSocket } from './baileys.js';

type MakeSignalRepository = NonNullable<UserFacingSocketConfig['makeSignalRepository']>;

/**
 * Creates a socket. Baileys begins to connect before it creates its Signal repository. An error there would leave a
 * connection behind that belongs to no session; it has no listener yet, so its first error would end the process. Here
 * the socket is completed first, then ended in order, and then the error is thrown.
 *
 * Removal condition: Baileys creates its Signal repository before it begins to connect (docs/upstream.md, 30).
 * @throws the errors of Baileys or `makeSignalRepository`.
 */
export function makeWholeSocket(
  config: UserFacingSocketConfig & { readonly makeSignalRepository: MakeSignalRepository },
): WASocket {
  const errors: unknown[] = [];
  const socket = makeSocket({
    ...config,
    makeSignalRepository: (...args) => {
      try {
        return config.makeSignalRepository(...args);
      } catch (error) {
        errors.push(error);
        return DEFAULT_CONNECTION_CONFIG.makeSignalRepository(...args);
      }
    },
  });
  if (errors.length === 0) return socket;
  void socket.end(undefined);
  throw errors[0];
}
