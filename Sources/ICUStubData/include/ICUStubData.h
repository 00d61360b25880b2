// The target is linked for its data alone; see ICUStubData.c.
