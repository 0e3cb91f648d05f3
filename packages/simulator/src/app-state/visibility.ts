import type { Account } from '../world/account.js';
import type { PerAccount } from '../world/per-account.js';
import type { AccountSettings } from './account-settings.js';

interface VisibilityContext {
  readonly settings: PerAccount<AccountSettings>;
}

/**
 * Whether a person may see something of another one, by that person's privacy settings: `all`, `none`, or `contacts`,
 * which are the people whom the owner has saved.
 * @param category `profile` is the picture, `status` the about text.
 */
export function isVisible(
  { settings }: VisibilityContext,
  owner: Account,
  { category, viewer }: { readonly category: 'profile' | 'status'; readonly viewer: Account },
): boolean {
  if (owner === viewer) return true;
  if (owner.blocked.has(viewer)) return false;
  const value = owner.privacy.get(category);
  if (value !== 'contacts') return value !== 'none';
  const { state } = settings.of(owner);
  return (
    state.entry('contact', viewer.jid) !== undefined || state.entry('lid_contact', viewer.lid) !== undefined
  );
}
