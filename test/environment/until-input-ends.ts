/** For `sh -c`: runs the command behind it, and kills it when whoever started it closes its input or is gone, however it went. */
export const untilInputEnds = 'exec 3<&0; "$@" & child=$!; (cat <&3 > /dev/null; kill -9 $child 2> /dev/null) & wait $child';
