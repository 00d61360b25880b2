// MusterModel
