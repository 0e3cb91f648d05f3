/** A device's public keys, which a peer needs for the first message (X3DH). Raw, 32 bytes each. */
export interface KeyBundle {
  readonly registrationId: number;
  readonly identityKey: Uint8Array;
  readonly signedPreKey: SignedPreKey;
  /** Absent if the device has run out of one-time pre-keys. */
  readonly preKey?: PreKey;
}

export interface PreKey {
  readonly keyId: number;
  readonly publicKey: Uint8Array;
}

export interface SignedPreKey extends PreKey {
  readonly signature: Uint8Array;
}
