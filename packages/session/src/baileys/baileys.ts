import {
  type AuthenticationCreds,
  initAuthCreds,
  makeWASocket,
  type UserFacingSocketConfig,
  type WASocket,
} from '@whiskeysockets/baileys';
import { installPatches } from './patches/install.js';
import { withSharedAsyncStorage } from './patches/shared-async-storage.js';

/** A socket of Baileys that does not slow down, wait for or disturb the other sockets of its process. */
export function makeSocket(config: UserFacingSocketConfig): WASocket {
  installPatches();
  return withSharedAsyncStorage(() => makeWASocket(config));
}

/** The credentials of an account that is not linked yet. */
export function newCredentials(): AuthenticationCreds {
  installPatches();
  return initAuthCreds();
}
