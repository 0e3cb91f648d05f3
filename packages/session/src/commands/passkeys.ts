import type { passkeyCommands } from '@wafleet/contract';
import type { HandlersOf } from './command-context.js';

export const passkeyHandlers: HandlersOf<typeof passkeyCommands> = {
  'get-passkey': async ({ passkeys }) => passkeys.view(),
  'sign-passkey': ({ passkeys }, assertion) => passkeys.sign(assertion),
  'confirm-passkey': ({ passkeys }, answer) => passkeys.answer(answer),
};
