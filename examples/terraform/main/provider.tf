terraform {
  required_version = ">= 1.4"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.50"
    }
  }
}

provider "aws" {
  region                   = "us-east-1"
  shared_credentials_files = [var.credentials_file]

  # There is no STS and no IAM behind the endpoint to ask.
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true

  endpoints {
    dms = var.dms_endpoint
  }

  default_tags {
    tags = {
      managed-by = "terraform"
    }
  }
}
