// Nothing: the target it belongs to exists for the precompiled headers that the tests share.
