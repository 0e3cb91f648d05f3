import { type AuthenticationCreds, proto } from '@whiskeysockets/baileys';

/**
 * When the session was linked, ms since 1970: the phone signs it in the identity of the device. So it is known of imported
 * sessions too. Undefined if the identity cannot be read.
 */
export function linkedAt({ account }: Pick<AuthenticationCreds, 'account'>): number | undefined {
  if (!account?.details) return undefined;
  try {
    const seconds = Number(proto.ADVDeviceIdentity.decode(account.details).timestamp);
    return seconds > 0 ? seconds * 1_000 : undefined;
  } catch {
    return undefined;
  }
}
