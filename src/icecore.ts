/** The domain behind the API. */
export class Icecore {}
