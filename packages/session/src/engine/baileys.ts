import {
  type AuthenticationCreds,
  initAuthCreds,
  makeWASocket,
  type UserFacingSocketConfig,
  type WASocket,
} from '@whiskeysockets/baileys';
import { prepareProcess } from './prepare-process.js';
import { withSharedAsyncStorage } from './shared-async-storage.js';

/** A socket of Baileys that does not slow down, wait for or disturb the other sockets of its process. */
export function makeSocket(config: UserFacingSocketConfig): WASocket {
  prepareProcess();
  return withSharedAsyncStorage(() => makeWASocket(config));
}

/** The credentials of an account that is not linked yet. */
export function newCredentials(): AuthenticationCreds {
  prepareProcess();
  return initAuthCreds();
}
