import {
  type AuthenticationCreds,
  initAuthCreds,
  makeWASocket,
  type UserFacingSocketConfig,
  type WASocket,
} from '@whiskeysockets/baileys';
import { installPatches } from './patches/install.js';
import { withSharedAsyncStorage } from './patches/shared-async-storage.js';

/** Creates a Baileys socket that does not slow down, wait for or disturb the other sockets of its process. */
export function makeSocket(config: UserFacingSocketConfig): WASocket {
  installPatches();
  return withSharedAsyncStorage(() => makeWASocket(config));
}

/** Returns the credentials of an account that is not linked yet. */
export function newCredentials(): AuthenticationCreds {
  installPatches();
  return initAuthCreds();
}
