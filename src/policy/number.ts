/** `1000`, `1_000`, `1e3`, `0x3e8`. */
export function numberOf(text: string): number | undefined {
  const plain = text.replaceAll('_', '').replace(/[uU]?[lL]{0,2}$/, '');
  if (/^0\d/.test(plain) || !/^(?:0[xX][0-9a-fA-F]+|\d+(?:[eE]\d+)?)$/.test(plain)) return undefined;
  return Number(plain);
}
