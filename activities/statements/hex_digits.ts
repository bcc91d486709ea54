/** The value of a hexadecimal digit in lower case, by its code as ASCII; indexed by any byte, so without bounds. */
export const HEX_DIGIT = new Uint8Array(0x100);
for (let digit = 0; digit < 16; digit++) HEX_DIGIT[digit.toString(16).charCodeAt(0)] = digit;
