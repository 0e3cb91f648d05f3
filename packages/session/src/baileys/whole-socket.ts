import {
  DEFAULT_CONNECTION_CONFIG,
  type UserFacingSocketConfig,
  type WASocket,
} from '@whiskeysockets/baileys';
import { makeSocket } from './baileys.js';

type MakeSignalRepository = NonNullable<UserFacingSocketConfig['makeSignalRepository']>;

/**
 * Makes a socket. Baileys begins to connect before it makes its Signal repository, so what throws there would leave a
 * connection behind that belongs to no session, and whose first error ends the process, since it has no listener yet.
 * Here the socket is completed first, ended in order, and the error thrown then.
 * @throws what Baileys or `makeSignalRepository` throws.
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
