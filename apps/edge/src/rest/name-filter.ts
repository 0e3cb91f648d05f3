/** Whether the name of an item contains a text, in any case. Without a text all items match. */
export function nameFilter(
  text: string | undefined,
): (item: { readonly name?: string | undefined }) => boolean {
  if (text === undefined) return () => true;
  const wanted = text.toLowerCase();
  return ({ name }) => name?.toLowerCase().includes(wanted) === true;
}
