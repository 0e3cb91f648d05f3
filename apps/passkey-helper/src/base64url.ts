const SHAPE = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** The bytes in base64url without padding, as WebAuthn writes them in JSON. */
export function encodeBase64url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Reads base64url or base64, with or without padding. Throws a `TypeError` if the text is neither. */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/=+$/, '');
  if (!SHAPE.test(text) || digits.length % 4 === 1) throw new TypeError('not base64url');
  const binary = atob(digits.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
