// AWSProvider
